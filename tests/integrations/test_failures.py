"""Requests that go wrong: errors of the application, hostile headers, clients that leave."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response, StreamingResponse

import obs
from obs.integrations.asgi import Middleware
from obs.testing import capture

Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "value",
    [
        b"a\r\n{}",
        b"a\nlevel=critical",
        b"a b",
        b"abc\n",
        b"x" * 129,
        b"",
        b'"',
        b"\xff\xfe",
        b"a\x00b",
        b"<script>",
    ],
)
@pytest.mark.parametrize("header", [b"x-request-id", b"x-correlation-id", b"traceparent", b"tracestate"])
def test_a_hostile_header_reaches_neither_log_nor_response(
    lines: Lines, header: bytes, value: bytes, shop: Any
) -> None:
    obs.init("shop")
    app, sent = shop(), []
    scope = {
        "type": "http", "method": "GET", "path": "/items/1", "raw_path": b"/items/1", "query_string": b"",
        "headers": [(header, value)], "scheme": "http", "server": ("s", 80), "client": ("c", 1), "root_path": "",
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    headers = dict(sent[0]["headers"])
    for name in (b"x-request-id", b"x-correlation-id"):
        assert len(headers[name]) == 32
    written = lines()
    assert len(written) == 2
    assert all(line["request_id"] == headers[b"x-request-id"].decode() for line in written)


def test_an_unhandled_error_has_ids_on_its_500_and_one_stack_in_the_log(
    lines: Lines, shop: Any, call: Any, counts: Any
) -> None:
    obs.init("shop")
    app = shop()
    (answer,) = call(app, "/boom")
    assert answer.status_code == 500
    error, access = lines()
    assert error["level"] == "error"
    assert "kaputt" in error["exception"]
    assert (access["message"], access["level"]) == ("GET /boom 500", "error")
    assert "exception" not in access
    assert answer.headers["x-request-id"] == error["request_id"] == access["request_id"]
    assert error["trace_id"] == access["trace_id"]
    assert counts(app) == {("GET", "/boom", "500"): 1}


def test_an_unhandled_error_reaches_the_server_unchanged(shop: Any) -> None:
    obs.init("shop")
    app = shop()

    async def run() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            await client.get("/boom")

    with pytest.raises(ValueError, match="kaputt"):
        asyncio.run(run())


def test_a_handler_for_500_of_the_application_still_answers(call: Any) -> None:
    obs.init("shop")
    app = FastAPI()

    @app.exception_handler(Exception)
    async def own(request: Any, error: Exception) -> Response:
        return PlainTextResponse("our own page", 500)

    @app.get("/boom")
    async def boom() -> None:
        raise ValueError

    obs.instrument(app)
    (answer,) = call(app, "/boom")
    assert answer.text == "our own page"
    assert answer.headers["x-request-id"]


def test_a_bare_application_that_fails_gets_a_500_with_ids(call: Any) -> None:
    obs.init("shop")

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("early")

    (answer,) = call(Middleware(bare), "/x")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["x-request-id"]


def test_an_unknown_path_is_unmatched_never_itself(shop: Any, call: Any, counts: Any) -> None:
    obs.init("shop")
    app = shop()
    call(app, *(f"/scan/{number}" for number in range(20)))
    assert counts(app) == {("GET", "unmatched", "404"): 20}


def test_an_unknown_method_is_other(shop: Any, call: Any, counts: Any) -> None:
    obs.init("shop")
    app = shop()
    call(app, httpx.Request("BREW", "http://shop/items/1"))
    assert counts(app) == {("_OTHER", "/items/{item}", "405"): 1}


@pytest.mark.parametrize("how", ["cancelled", "disconnect"])
def test_a_client_that_leaves_before_an_answer_is_499_and_no_error(
    lines: Lines, how: str, counts: Any
) -> None:
    obs.init("shop")

    async def patient(scope: Any, receive: Any, send: Any) -> None:
        if how == "cancelled":
            raise asyncio.CancelledError
        assert (await receive())["type"] == "http.disconnect"
        raise ClientDisconnect

    app = Middleware(patient)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}

    async def run() -> None:
        with pytest.raises((asyncio.CancelledError, ClientDisconnect)):
            await app(scope, receive, send)

    asyncio.run(run())
    assert counts(app) == {("GET", "unmatched", "499"): 1}
    (access,) = lines()
    assert access["level"] == "info"


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
def test_a_client_that_leaves_during_a_stream_is_told_by_the_line_and_is_no_error(
    lines: Lines, spec_version: str, counts: Any
) -> None:
    """Before ASGI 2.4 the server says so to whoever receives, since then to whoever sends."""
    obs.init("shop")
    app, sent = FastAPI(), []

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> Any:
            while True:
                yield "x"
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    obs.instrument(app)
    gone = asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])
        if len(sent) > 3:
            gone.set()
            if spec_version == "2.4":
                raise OSError
            await asyncio.sleep(0)

    scope = {
        "type": "http", "method": "GET", "path": "/stream", "raw_path": b"/stream", "query_string": b"",
        "headers": [], "scheme": "http", "server": ("s", 80), "client": ("c", 1), "root_path": "", "state": {},
        "asgi": {"version": "3.0", "spec_version": spec_version},
    }  # fmt: skip

    async def run() -> None:
        # ClientDisconnect, or in older versions of Starlette a group with the server's own error.
        with contextlib.suppress(Exception):
            await app(scope, receive, send)

    asyncio.run(run())
    assert counts(app) == {("GET", "/stream", "200"): 1}
    (access,) = lines()
    assert (access["level"], access["disconnected"]) == ("info", True)


def test_an_error_half_way_through_a_stream_is_reported_with_the_status_that_was_sent(
    lines: Lines, call: Any, counts: Any
) -> None:
    obs.init("shop")
    app = FastAPI()

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> Any:
            yield "x"
            raise ValueError("half way")

        return StreamingResponse(parts())

    obs.instrument(app)
    call(app, "/stream")
    failure, access = lines()
    assert "half way" in failure["exception"]
    assert (access["status"], "disconnected" in access) == (200, False)
    assert counts(app) == {("GET", "/stream", "200"): 1}


@pytest.mark.parametrize("kind", [ValueError, 500])
def test_errors_of_the_applications_own_handlers_count_once(call: Any, lines: Lines, kind: Any) -> None:
    obs.init("shop")
    app = FastAPI()

    @app.exception_handler(kind)
    async def own(request: Any, error: Exception) -> Response:
        return PlainTextResponse("our own page", 500)

    @app.get("/boom")
    async def boom() -> None:
        raise ValueError("kaputt")

    obs.instrument(app)
    (answer,) = call(app, "/boom")
    assert answer.text == "our own page"
    # What a handler of its own has taken is handled; one for 500 is a page for what is not.
    assert [line["message"] for line in lines()] == (
        ["GET /boom 500"] if kind is ValueError else ["unhandled exception in GET /boom", "GET /boom 500"]
    )


def test_middleware_of_the_user_sees_the_ids_and_is_inside(call: Any, lines: Lines) -> None:
    obs.init("shop")
    app, seen = FastAPI(), []

    @app.middleware("http")
    async def own(request: Any, proceed: Any) -> Any:
        seen.append(obs.ids())
        answer = await proceed(request)
        seen.append(obs.ids())
        return answer

    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(CORSMiddleware, allow_origins=["*"])

    @app.get("/")
    async def look() -> str:
        seen.append(obs.ids())
        return "x" * 100

    obs.instrument(app)
    origin = {"accept-encoding": "gzip", "origin": "http://other", "access-control-request-method": "GET"}
    answer, preflight = call(
        app,
        httpx.Request("GET", "http://shop/", headers=origin),
        httpx.Request("OPTIONS", "http://shop/", headers=origin),
    )
    assert len(set(seen)) == 1
    assert (answer.headers["content-encoding"], preflight.status_code) == ("gzip", 200)
    assert answer.headers["x-request-id"] == seen[0].request_id
    assert preflight.headers["x-request-id"]
    assert [line["message"] for line in lines()] == ["GET / 200", "OPTIONS unmatched 200"]


@pytest.mark.parametrize(
    "odd",
    [
        {"headers": None},
        {"headers": [("user-agent", "text instead of bytes")]},
        {"headers": [(b"three", b"in", b"one")]},
        {"client": 7},
        {"path": None},
        {"scheme": None},
        {"method": None},
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_scope_that_cannot_be_read_is_served_as_if_obs_were_not_there(odd: Any, kind: str) -> None:
    obs.init("shop", logs=False)
    sent: list[Any] = []

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        first = "http.response.start" if kind == "http" else "websocket.accept"
        await send({"type": first, "status": 200, "headers": [("odd", 1, 2)]})

    async def receive() -> Any:
        return {"type": f"{kind}.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": kind, "method": "GET", "path": "/", "headers": [], "client": None, **odd}
    if odd.get("path", "") is None:
        scope["path"] = ""
        scope["root_path"] = "/behind"
    asyncio.run(Middleware(bare)(scope, receive, send))
    assert sent[0]["headers"] == [("odd", 1, 2)]


def test_what_a_failed_request_had_in_hand_is_freed_at_once() -> None:
    obs.init("shop", logs=False)
    held: list[Any] = []

    class Upload:
        """Stands for something large."""

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        upload = Upload()
        held.append(weakref.ref(upload))
        raise ValueError

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    async def run() -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        with contextlib.suppress(ValueError):
            await Middleware(bare)(scope, receive, send)
        # Before the garbage collector has had a reason to run.
        assert held[0]() is None

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()


def test_a_request_that_fails_sampled_out_has_its_span_after_all(call: Any) -> None:
    with capture(traces_ratio=0.0) as telemetry:
        app = FastAPI()

        @app.get("/boom")
        async def boom() -> None:
            raise ValueError("kaputt")

        @app.get("/fine")
        async def fine() -> None:
            pass

        obs.instrument(app)
        _, answer = call(app, "/fine", "/boom")
        (span,) = telemetry.spans
        assert (span.name, span.status, [name for name, _ in span.events]) == (
            "GET /boom",
            "error",
            ["exception"],
        )
        assert answer.headers["traceparent"] == f"00-{span.trace_id}-{span.span_id}-00"
        assert {line["trace_id"] for line in telemetry.logs[1:]} == {span.trace_id}
