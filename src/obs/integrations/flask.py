"""Flask: WSGI's way, with the templates of Flask's routes and the errors that Flask answers itself."""

from __future__ import annotations

from logging import LogRecord
from typing import Any

from flask import Flask, Response, got_request_exception, request, request_finished, request_started
from flask.logging import default_handler
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wsgi import ClosingIterator

from obs.errors import ConfigError
from obs.integrations.arrival import UNMATCHED
from obs.integrations.wsgi import EXCHANGE, ROOT, Environ, Middleware
from obs.runtime import guard, logger

_MARK = "_obs_instrumented"
_ROUTE = "obs.route"
_WHOLE = "obs.whole"


def instrument(app: Flask, *, exclude: tuple[str, ...] = ()) -> None:
    """Put the middleware around `app.wsgi_app`, outside whatever wraps it already.

    Raises `ConfigError` when the application has started already.
    """
    if getattr(app, _MARK, False):
        return
    if app._got_first_request:  # noqa: SLF001 - Flask asks itself in the same way
        raise ConfigError(
            "cannot instrument an application that has started",
            hint="call obs.instrument(app) where the application is made, before its first request",
        )
    # With signals, so that an application that is mounted below this one is seen as well.
    request_started.connect(_started)
    request_finished.connect(_finished)
    got_request_exception.connect(_failed)
    # There when the application has logged before init(): each of its lines would be there twice.
    default_handler.addFilter(_alone)
    app.wsgi_app = Middleware(  # type: ignore[method-assign]
        app.wsgi_app,
        resolve=template,
        exclude=exclude,
        # Flask answers for errors itself, unless the user wants to see them where they are raised.
        answers=False,
        whole=is_whole,
    )
    setattr(app, _MARK, True)


def _alone(_: LogRecord) -> bool:
    """Tell whether Flask's own handler is the one that writes the lines of the application."""
    return logger.pipeline() is None


def template(environ: Environ) -> str:
    """Return the route template of a request that Flask has served, "" when no route took it."""
    return str(environ.get(_ROUTE, ""))


def _started(_: Flask, **__: Any) -> None:
    """Note the template while Flask knows it: its contexts are gone when the response is."""
    environ = request.environ
    if EXCHANGE in environ:
        with guard.contained("integration"):
            environ[_ROUTE] = _template()


def _finished(_: Flask, response: Response, **__: Any) -> None:
    """Note whether the body is made; the iterator around it does not tell."""
    with guard.contained("integration"):
        # The page of an HTTPException counts as streamed, because Flask takes it over from Werkzeug.
        request.environ[_WHOLE] = not response.is_streamed or isinstance(response.response, ClosingIterator)


def is_whole(environ: Environ, body: object) -> bool:
    """Tell whether nothing of `body`, as Flask itself returned it, is still to be made."""
    return isinstance(body, ClosingIterator) and bool(environ.get(_WHOLE))


def _failed(_: Flask, exception: BaseException, **__: Any) -> None:
    """Report an error of which the server sees nothing but Flask's answer."""
    exchange = request.environ.get(EXCHANGE)
    if exchange is not None:
        exchange.failed(exception, template(request.environ) or UNMATCHED)


def _template() -> str:
    rule = request.url_rule
    if rule is None and isinstance(request.routing_exception, MethodNotAllowed):
        rule = _of_another_method(request.routing_exception)
    if rule is None:
        return ""
    # What a dispatcher has taken from the path: a fixed text, never part of what the client chose.
    mount = request.environ.get("SCRIPT_NAME", "").removeprefix(request.environ.get(ROOT, ""))
    return f"{mount}{rule.rule}"


def _of_another_method(refused: MethodNotAllowed) -> Any:
    adapter = _adapter()
    if adapter is None or not refused.valid_methods:
        return None
    rule, _ = adapter.match(method=next(iter(refused.valid_methods)), return_rule=True)
    return rule


def _adapter() -> Any:
    from flask import globals as flask_globals

    # Flask 3.2 has one context for both.
    context = getattr(flask_globals, "request_ctx", None) or flask_globals.app_ctx
    return context.url_adapter
