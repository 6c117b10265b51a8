"""Applications of other kinds below an ASGI application, all of them instrumented: one request stays one."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import asgiref.wsgi
import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from fastapi import FastAPI
from flask import Flask
from tests.integrations import django_views
from tests.integrations.django_site import configure

import obs
from obs.testing import Telemetry

configure()
Adapter = Callable[[Any], Any]
_asgiref: Adapter = asgiref.wsgi.WsgiToAsgi


def _starlette(app: Any) -> Any:
    with warnings.catch_warnings():
        # It says that another package does it better.
        warnings.simplefilter("ignore")
        from starlette.middleware.wsgi import WSGIMiddleware

        return WSGIMiddleware(app)


def _a2wsgi(app: Any) -> Any:
    """Do what a2wsgi does: the scope itself is in the environ."""
    base: Any = asgiref.wsgi.WsgiToAsgiInstance

    class Instance(base):  # type: ignore[misc]
        def build_environ(self, scope: Any, body: Any) -> Any:
            environ = super().build_environ(scope, body)
            return {**environ, "asgi.scope": scope}

    async def run(scope: Any, receive: Any, send: Any) -> None:
        await Instance(app, 100)(scope, receive, send)

    return run


ADAPTERS = pytest.mark.parametrize(
    "adapt", [_starlette, _asgiref, _a2wsgi], ids=["starlette", "asgiref", "a2wsgi"]
)


def _shop() -> Flask:
    app = Flask("shop", static_folder=None)

    @app.get("/items/<item>")
    def item(item: str) -> dict[str, str]:
        return {"item": item, "trace": obs.ids().trace_id}

    @app.get("/boom")
    def boom() -> str:
        raise ValueError("kaputt")

    obs.instrument(app)
    return app


def _outer(inner: Any, path: str = "/flask") -> FastAPI:
    app = FastAPI()
    obs.instrument(app)
    app.mount(path, inner)
    return app


def _lines(telemetry: Telemetry, event: str = "http.request") -> list[Any]:
    return [line for line in telemetry.logs if line.get("event") == event]


@ADAPTERS
def test_a_wsgi_application_below_is_observed_once_with_the_whole_template(
    telemetry: Telemetry, call: Any, values: Any, adapt: Adapter
) -> None:
    (answer,) = call(_outer(adapt(_shop())), "/flask/items/7?size=2")

    (line,) = _lines(telemetry)
    assert (line["route"], line["path"], line["status"]) == ("/flask/items/<item>", "/flask/items/7", 200)
    (span,) = telemetry.spans
    assert span.name == "GET /flask/items/<item>"
    assert answer.json()["trace"] == line["trace_id"]
    assert answer.headers.get_list("x-request-id") == [line["request_id"]]
    assert values("http_server_request_duration_seconds_count", "http_route") == {("/flask/items/<item>",): 1}
    assert set(values("http_server_active_requests", "http_request_method").values()) == {0}


@ADAPTERS
def test_an_error_that_the_inner_application_answers_is_told_once(
    telemetry: Telemetry, call: Any, adapt: Adapter
) -> None:
    (answer,) = call(_outer(adapt(_shop())), "/flask/boom")

    assert answer.status_code == 500
    (line,) = _lines(telemetry)
    assert (line["route"], line["status"]) == ("/flask/boom", 500)
    assert len(_lines(telemetry, "http.exception")) == 1
    assert len(telemetry.spans) == 1


def test_what_the_client_wrote_into_a_mount_is_not_in_the_template(telemetry: Telemetry, call: Any) -> None:
    call(_outer(_asgiref(_shop()), "/tenants/{tenant}"), "/tenants/ann/items/7")

    (line,) = _lines(telemetry)
    assert line["route"] == "/tenants/{tenant}/items/<item>"


def test_a_path_that_the_inner_application_does_not_know_has_the_mount_as_its_template(
    telemetry: Telemetry, call: Any
) -> None:
    call(_outer(_asgiref(_shop())), "/flask/nothing")

    (line,) = _lines(telemetry)
    assert (line["route"], line["status"]) == ("/flask/{path}", 404)


@pytest.fixture
def _site() -> Iterator[None]:
    with override_settings(
        ROOT_URLCONF=django_views.__name__, MIDDLEWARE=["obs.integrations.django.Middleware"]
    ):
        yield


@pytest.mark.usefixtures("_site")
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_a_site_of_django_below_is_observed_once_with_the_whole_template(
    telemetry: Telemetry, call: Any, values: Any, kind: str
) -> None:
    site = get_asgi_application() if kind == "asgi" else _asgiref(get_wsgi_application())
    answers = call(_outer(site, "/site"), "/site/items/7/", "/site/missing/", "/site/boom/")

    assert [answer.status_code for answer in answers] == [200, 404, 500]
    routes = ["/site/items/<int:number>/", "/site/missing/", "/site/boom/"]
    assert [line["route"] for line in _lines(telemetry)] == routes
    assert [span.name for span in telemetry.spans] == [f"GET {route}" for route in routes]
    assert sum(values("http_server_request_duration_seconds_count", "http_route").values()) == 3
    assert len(_lines(telemetry, "http.exception")) == 1
    assert not [line for line in telemetry.logs if line.get("logger", "").startswith("django")]


def _asking(client: Callable[[], Any]) -> FastAPI:
    """Return an application whose handler asks another one in the same process."""
    app = FastAPI()
    obs.instrument(app)

    @app.get("/items/{item}")
    async def item(item: str) -> int:
        return int(await client())

    return app


def test_a_request_to_another_application_of_this_process_is_one_of_its_own(
    telemetry: Telemetry, call: Any
) -> None:
    inner = _outer(_asgiref(_shop()))

    async def ask() -> int:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=inner), base_url="http://inner"
        ) as client:
            return (await client.get("/flask/items/7")).status_code

    call(_asking(ask), "/items/7")

    assert [line["route"] for line in _lines(telemetry)] == ["/flask/items/<item>", "/items/{item}"]


def test_a_request_to_a_wsgi_application_of_this_process_is_one_of_its_own(
    telemetry: Telemetry, call: Any
) -> None:
    shop = _shop()

    def now() -> int:
        with httpx.Client(transport=httpx.WSGITransport(app=shop), base_url="http://inner") as client:
            return client.get("/items/7").status_code

    async def ask() -> int:
        return await asyncio.to_thread(now)

    call(_asking(ask), "/items/7")

    assert [line["route"] for line in _lines(telemetry)] == ["/items/<item>", "/items/{item}"]
