"""FastAPI traces itself since 0.142: whatever its switch is called, a request has one server span."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import obs
from obs.testing import Telemetry

#: Absent before 0.142.
pytest.importorskip("fastapi.telemetry", reason="this FastAPI does not trace itself")


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item}")
    async def item(item: str) -> dict[str, str]:
        return {"trace": obs.ids().trace_id}

    @app.get("/boom")
    async def boom() -> None:
        raise ValueError("kaputt")

    return app


def test_a_mounted_application_does_not_make_a_second_server_span(telemetry: Telemetry, call: Any) -> None:
    app = make_app()
    app.mount("/inner", make_app())
    obs.instrument(app)
    call(app, "/inner/items/7")
    assert [(span.name, span.kind, span.scope) for span in telemetry.spans] == [
        ("GET /inner/items/{item}", "server", "obs")
    ]


def test_where_the_switch_has_gone_fastapis_own_span_is_the_requests(telemetry: Telemetry, call: Any) -> None:
    app = make_app()
    switch = app._telemetry
    del app._telemetry
    obs.instrument(app)
    # Hidden while obs looks for it, there while FastAPI needs it.
    app._telemetry = switch
    (answer,) = call(app, "/items/7")

    servers = [span for span in telemetry.spans if span.kind == "server"]
    assert [span.scope for span in servers] == ["fastapi"]
    assert answer.json() == {"trace": servers[0].trace_id}
    assert answer.headers["traceparent"] == f"00-{servers[0].trace_id}-{servers[0].span_id}-01"
    (access,) = telemetry.logs
    assert (access["trace_id"], access["span_id"]) == (servers[0].trace_id, servers[0].span_id)
    telemetry.assert_counted("http.server.duration", 1, {"http.route": "/items/{item}"})


def test_where_the_switch_has_gone_errors_are_still_reported(telemetry: Telemetry, call: Any) -> None:
    app = make_app()
    switch = app._telemetry
    del app._telemetry
    obs.instrument(app)
    app._telemetry = switch
    (answer,) = call(app, httpx.Request("GET", "http://shop/boom"))
    assert answer.status_code == 500
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    assert len([span for span in telemetry.spans if span.kind == "server"]) == 1
