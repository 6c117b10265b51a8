"""Websockets: a span, a line and a count for a connection, and no part in the durations of requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

import obs
from obs.integrations.asgi import Middleware
from obs.testing import Telemetry

CONNECTIONS = "websocket.server.connections"


def converse(
    app: Any, path: str, *incoming: dict[str, Any], gone_after: int = 100, **headers: str
) -> list[dict[str, Any]]:
    """Lead one connection as a server would; return what the application sent.

    Nobody takes what comes after `gone_after` messages.
    """
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "websocket.connect"}, *incoming]
    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "ws",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "server": ("shop", 80), "client": ("10.0.0.9", 1), "root_path": "", "subprotocols": [],
        "extensions": {"websocket.http.response": {}}, "state": {},
    }  # fmt: skip

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        if len(sent) >= gone_after:
            raise OSError("nobody there")
        sent.append(dict(message))

    asyncio.run(app(scope, receive, send))
    return sent


def make_shop() -> FastAPI:
    app = FastAPI()

    @app.websocket("/rooms/{room}")
    async def chat(websocket: WebSocket, room: str) -> None:
        await websocket.accept()
        obs.log.info("joined", room=room)
        await websocket.send_text(room)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            pass

    @app.websocket("/greet")
    async def greet(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4001, "enough")

    @app.websocket("/careless")
    async def careless(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    @app.websocket("/boom")
    async def boom(websocket: WebSocket) -> None:
        await websocket.accept()
        raise ValueError("kaputt")

    @app.websocket("/early-boom")
    async def early_boom(websocket: WebSocket) -> None:
        raise ValueError("kaputt")

    @app.websocket("/refused")
    async def refused(websocket: WebSocket) -> None:
        await websocket.close()

    @app.websocket("/denied")
    async def denied(websocket: WebSocket) -> None:
        await websocket.send_denial_response(PlainTextResponse("no", 401))

    obs.instrument(app)
    return app


def test_a_connection_is_one_span_one_line_and_one_count_under_the_ids_of_its_handshake(
    telemetry: Telemetry,
) -> None:
    sent = converse(
        make_shop(),
        "/rooms/7",
        {"type": "websocket.receive", "text": "hi"},
        {"type": "websocket.disconnect", "code": 1001},
        x_request_id="r-1",
    )
    headers = dict(sent[0]["headers"])
    (span,) = telemetry.spans
    own, access = telemetry.logs
    assert headers[b"x-request-id"] == b"r-1"
    assert headers[b"traceparent"].decode() == f"00-{span.trace_id}-{span.span_id}-01"
    assert (span.name, span.kind, span.status) == ("WEBSOCKET /rooms/{room}", "server", "unset")
    assert span.attributes["http.response.status_code"] == 101
    assert span.attributes["websocket.close.code"] == 1001
    assert span.attributes["http.route"] == "/rooms/{room}"
    assert own["trace_id"] == access["trace_id"] == span.trace_id
    assert access["message"] == "WEBSOCKET /rooms/{room} closed"
    assert (access["path"], access["close_code"], access["closed_by"], access["client"]) == (
        "/rooms/7", 1001, "client", "10.0.0.9",
    )  # fmt: skip
    telemetry.assert_counted(CONNECTIONS, 1, {"http.route": "/rooms/{room}"}, result="closed")
    assert telemetry.value("websocket.server.active") == 0
    telemetry.assert_counted("http.server.duration", 0)


def test_a_close_by_the_server_is_told_with_its_code(telemetry: Telemetry) -> None:
    converse(make_shop(), "/greet")
    (access,) = telemetry.logs
    assert (access["close_code"], access["closed_by"], access["result"]) == (4001, "server", "closed")


def test_a_client_that_leaves_an_endpoint_that_does_not_expect_it_is_no_error(telemetry: Telemetry) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        converse(make_shop(), "/careless", {"type": "websocket.disconnect", "code": 1006})
    telemetry.assert_no_errors()
    telemetry.assert_counted(CONNECTIONS, 1, result="closed")


@pytest.mark.parametrize("path", ["/rooms/7", "/careless"])
def test_a_server_that_shuts_down_closes_its_connections_and_fails_none(
    telemetry: Telemetry, path: str
) -> None:
    # So uvicorn tells an application that it was told to stop.
    with contextlib.suppress(WebSocketDisconnect):
        converse(make_shop(), path, {"type": "websocket.disconnect", "code": 1012})
    telemetry.assert_no_errors()
    access = telemetry.logs[-1]
    assert (access["result"], access["close_code"], access["closed_by"]) == ("closed", 1012, "server")
    telemetry.assert_counted(CONNECTIONS, 1, result="closed")
    assert telemetry.spans[0].status == "unset"


def test_no_client_can_have_its_connection_counted_as_our_fault(telemetry: Telemetry) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        converse(make_shop(), "/careless", {"type": "websocket.disconnect", "code": 1011})
    telemetry.assert_no_errors()
    (access,) = telemetry.logs
    assert (access["result"], access["close_code"], access["closed_by"]) == ("closed", 1011, "client")


async def tick(scope: Any, receive: Any, send: Any) -> None:
    """Send for ever, without any framework."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": "tick"})


def make_ticker() -> Starlette:
    async def tick(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.send_text("tick")

    app = Starlette(routes=[WebSocketRoute("/ticker", tick)])
    obs.instrument(app)
    return app


@pytest.mark.parametrize("make", [make_ticker, lambda: Middleware(tick)], ids=["Starlette", "bare"])
def test_a_client_that_has_gone_while_it_is_sent_to_is_told_by_the_line_and_is_no_error(
    telemetry: Telemetry, make: Callable[[], Any]
) -> None:
    app = make()
    with contextlib.suppress(WebSocketDisconnect, OSError):
        converse(app, "/ticker", gone_after=3)
    telemetry.assert_no_errors()
    (access,) = telemetry.logs
    assert (access["result"], access["close_code"], access["closed_by"]) == ("closed", 1006, "client")
    assert telemetry.spans[0].status == "unset"


def test_a_client_of_which_uvloop_says_that_it_has_gone_is_no_error(telemetry: Telemetry) -> None:
    async def fails(message: Any) -> None:
        if message["type"] == "websocket.send":
            raise RuntimeError(
                "unable to perform operation on <TCPTransport closed=True>; the handler is closed"
            )

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/", "scheme": "ws", "headers": [], "client": ("10.0.0.9", 1)}
    with pytest.raises(RuntimeError):
        asyncio.run(Middleware(tick)(scope, receive, fails))
    telemetry.assert_no_errors()
    (access,) = telemetry.logs
    assert (access["result"], access["close_code"], access["closed_by"]) == ("closed", 1006, "client")


def test_a_client_that_has_gone_before_it_hears_the_close_is_no_error(telemetry: Telemetry) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        converse(make_shop(), "/greet", gone_after=1)
    telemetry.assert_no_errors()
    (access,) = telemetry.logs
    assert (access["result"], access["close_code"], access["closed_by"]) == ("closed", 4001, "server")


def test_an_error_after_the_client_has_gone_is_an_error(telemetry: Telemetry) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        with contextlib.suppress(OSError):
            await send({"type": "websocket.send", "text": "tick"})
        raise OSError("the database has gone as well")

    with pytest.raises(OSError, match="database"):
        converse(Middleware(fails), "/", gone_after=1)
    telemetry.assert_error(OSError, mechanism="http")
    telemetry.assert_counted(CONNECTIONS, 1, result="failed")


@pytest.mark.parametrize(("path", "status"), [("/boom", 101), ("/early-boom", 500)])
def test_an_error_is_reported_once_and_passes(telemetry: Telemetry, path: str, status: int) -> None:
    with pytest.raises(ValueError, match="kaputt"):
        converse(make_shop(), path)
    failure, access = telemetry.logs
    assert (failure["message"], failure["event"]) == (
        f"unhandled exception in WEBSOCKET {path}",
        "websocket.exception",
    )
    assert (access["result"], access["status"], access["level"]) == ("failed", status, "error")
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    telemetry.assert_counted(CONNECTIONS, 1, {"http.route": path}, result="failed")
    (span,) = telemetry.spans
    assert (span.status, [name for name, _ in span.events]) == ("error", ["exception"])
    assert telemetry.value("websocket.server.active") == 0


@pytest.mark.parametrize(
    ("path", "status", "route"), [("/refused", 403, "/refused"), ("/denied", 401, "/denied")]
)
def test_a_handshake_that_is_not_accepted_is_refused(
    telemetry: Telemetry, path: str, status: int, route: str
) -> None:
    converse(make_shop(), path)
    (access,) = telemetry.logs
    assert (access["route"], access["status"], access["result"], access["level"]) == (
        route, status, "refused", "info",
    )  # fmt: skip
    assert "close_code" not in access


def test_an_unknown_path_is_unmatched_never_itself(telemetry: Telemetry) -> None:
    converse(make_shop(), "/scan/1")
    telemetry.assert_counted(CONNECTIONS, 1, {"http.route": "unmatched"}, result="refused")


def test_a_fault_that_the_server_admits_counts_as_failed(telemetry: Telemetry) -> None:
    async def overloaded(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1013})

    converse(Middleware(overloaded), "/")
    telemetry.assert_counted(CONNECTIONS, 1, result="failed")
    assert telemetry.spans[0].status == "error"


def test_a_socket_of_a_mounted_application_has_the_mount_in_its_template(telemetry: Telemetry) -> None:
    async def hello(websocket: Any) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[Mount("/live/{tenant}", routes=[WebSocketRoute("/feed", hello)])])
    obs.instrument(app)
    converse(app, "/live/blue/feed")
    telemetry.assert_counted(CONNECTIONS, 1, {"http.route": "/live/{tenant}/feed"}, result="closed")


def test_open_connections_are_counted_while_they_last(telemetry: Telemetry) -> None:
    seen = []

    async def looking(scope: Any, receive: Any, send: Any) -> None:
        seen.append(telemetry.value("websocket.server.active"))

    converse(Middleware(looking), "/")
    assert seen == [1]


def test_excluded_sockets_are_served_and_not_observed(telemetry: Telemetry) -> None:
    app = FastAPI()

    @app.websocket("/internal/feed")
    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    obs.instrument(app, exclude=("/internal",))
    sent = converse(app, "/internal/feed")
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert (telemetry.logs, telemetry.spans) == ([], [])
