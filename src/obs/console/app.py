"""The console's web application: an index, the runbooks, their source, its own health, ends of certificates."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from obs._version import __version__
from obs.catalogue.self import BUILD
from obs.console.library import Library, describe
from obs.console.page import build
from obs.errors import ObsError

#: Nothing from elsewhere, nothing inline: a runbook's text cannot make the browser do anything.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
]

_TEMPLATES = Environment(loader=PackageLoader("obs.console"), autoescape=True, undefined=StrictUndefined)


def create(runbooks: Path, certificates: Path | None = None) -> Starlette:
    """Return the console over a folder of runbooks; `/metrics` tells when each of the `certificates` ends.

    Raises `ConfigError` when the folder does not exist.
    """
    library = Library(runbooks)

    def index(request: Request) -> Response:
        wanted = request.path_params.get("service")
        entries = [entry for entry in library.entries() if wanted in {None, entry.service}]
        if wanted is not None and not entries:
            raise HTTPException(404, f"There is no runbook of a service {wanted}.")
        services = [(name, list(group)) for name, group in itertools.groupby(entries, lambda e: e.service)]
        return _html("index.html", services=services, count=len(entries), wanted=wanted)

    def runbook(request: Request) -> Response:
        service, alert = request.path_params["service"], request.path_params["alert"]
        text = _text(library, service, alert)
        return _html(
            "runbook.html",
            service=service,
            alert=alert,
            severity=describe(service, alert, text).severity,
            page=build(text, alert),
        )

    def source(request: Request) -> Response:
        text = _text(library, request.path_params["service"], request.path_params["alert"])
        return PlainTextResponse(text, media_type="text/markdown")

    def health(_request: Request) -> Response:
        return JSONResponse({"status": "healthy", "runbooks": library.count()})

    def metrics(_request: Request) -> Response:
        # Only now: most consoles have no certificates to watch, and reading them takes a large library.
        from obs.stack.certs import exposition

        return Response(_build() + exposition.expose(certificates), media_type=exposition.CONTENT_TYPE)

    static = StaticFiles(directory=Path(__file__).parent / "static")
    routes = [
        Route("/", index),
        Route("/runbooks", index),
        Route("/runbooks/{service}", index),
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/runbooks/{service}/{alert}.md", source),
        Route("/runbooks/{service}/{alert}", runbook),
        Mount("/static", static),
    ]
    handlers: dict[int | type[Exception], Callable[[Request, Exception], Response | Awaitable[Response]]] = {
        HTTPException: _refuse,
        ObsError: _fail,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.add_middleware(_Headers)
    return app


class _Headers:
    """Put the security headers on every response, errors and static files included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class _NoSuchRunbook(HTTPException):
    def __init__(self, service: str, alert: str, match: str | None) -> None:
        super().__init__(404, f"There is no runbook for {alert} of {service}.")
        self.match = match


def _text(library: Library, service: str, alert: str) -> str:
    text = library.read(service, alert)
    if text is None:
        raise _NoSuchRunbook(service, alert, library.nearest(service, alert))
    return text


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    if request.url.path.endswith(".md"):
        return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
    match = error.match if isinstance(error, _NoSuchRunbook) else None
    return _html(
        "problem.html", error.status_code, title=str(error.status_code), detail=error.detail, match=match
    )


def _fail(_request: Request, error: Exception) -> Response:
    return _html("problem.html", 500, title="500", detail=str(error), match=None)


def _build() -> str:
    """Tell, as any service does, which version runs: the service is part of obs, so both are the same."""
    labels = ",".join(f'{name}="{__version__}"' for name in BUILD.label_names())
    return f"# HELP {BUILD.metric} {BUILD.help}\n# TYPE {BUILD.metric} gauge\n{BUILD.metric}{{{labels}}} 1\n"


def _html(template: str, status: int = 200, /, **values: object) -> HTMLResponse:
    text = _TEMPLATES.get_template(template).render(**values)
    return HTMLResponse(text, status)
