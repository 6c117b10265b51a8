"""The fused middleware, on a bare ASGI application and on FastAPI, in process."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from prometheus_client.openmetrics import parser
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response, StreamingResponse

import obs
from obs.integrations.asgi import Middleware
from obs.runtime import tally

Lines = Callable[[], list[dict[str, Any]]]
# Untyped in prometheus_client.
parse: Any = parser.text_string_to_metric_families
App = Callable[[Any, Any, Any], Awaitable[None]]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}


def shop() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item}")
    async def item(item: str) -> dict[str, str]:
        obs.log.info("looked up", item=item)
        return {"item": item}

    @app.get("/boom")
    async def boom() -> None:
        raise ValueError("kaputt")

    @app.get("/refused")
    async def refused() -> Response:
        return PlainTextResponse("no", 503)

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> Any:
            for number in range(3):
                yield f"{number}"
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    obs.instrument(app)
    return app


def call(app: App, *requests: httpx.Request | str, **headers: str) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return [
                await (client.get(item, headers=headers) if isinstance(item, str) else client.send(item))
                for item in requests
            ]

    return asyncio.run(run())


def samples(app: App, metric: str) -> list[Any]:
    (answer,) = call(app, "/metrics", **OPENMETRICS)
    families = {family.name: family for family in parse(answer.text)}
    return list(families[metric].samples) if metric in families else []


def counts(app: App) -> dict[tuple[str, str, str], float]:
    return {
        (
            sample.labels["http_request_method"],
            sample.labels["http_route"],
            sample.labels["http_response_status_code"],
        ): sample.value
        for sample in samples(app, "http_server_request_duration_seconds")
        if sample.name.endswith("_count")
    }


@pytest.fixture(autouse=True)
def _quiet_client() -> None:
    import logging

    logging.getLogger("httpx").setLevel(logging.WARNING)


def test_a_request_is_one_observation_with_an_exemplar_of_its_trace() -> None:
    obs.init("shop")
    app = shop()
    (answer,) = call(app, "/items/7", traceparent=PARENT)
    assert answer.status_code == 200
    assert counts(app) == {("GET", "/items/{item}", "200"): 1}
    exemplars = [s.exemplar for s in samples(app, "http_server_request_duration_seconds") if s.exemplar]
    assert [exemplar.labels["trace_id"] for exemplar in exemplars] == [TRACE]


def test_one_access_line_and_the_applications_lines_share_the_ids(lines: Lines) -> None:
    obs.init("shop")
    (answer,) = call(shop(), "/items/7?token=hunter2")
    own, access = lines()
    assert own["message"] == "looked up"
    assert access["message"] == "GET /items/{item} 200"
    assert (access["method"], access["route"], access["path"], access["status"]) == (
        "GET", "/items/{item}", "/items/7", 200,
    )  # fmt: skip
    assert access["duration"] >= 0
    for name in ("trace_id", "span_id", "request_id"):
        assert own[name] == access[name]
    assert answer.headers["x-request-id"] == access["request_id"]
    assert answer.headers["traceparent"] == f"00-{access['trace_id']}-{access['span_id']}-01"
    assert "hunter2" not in str(access)


def test_a_valid_request_id_is_kept_and_echoed(lines: Lines) -> None:
    obs.init("shop")
    first, second, third = call(
        shop(),
        httpx.Request("GET", "http://shop/items/1", headers={"X-Request-ID": "req-1"}),
        httpx.Request("GET", "http://shop/items/1", headers={"X-Correlation-ID": "cor-1"}),
        httpx.Request("GET", "http://shop/items/1", headers={"X-Request-ID": "r", "X-Correlation-ID": "c"}),
    )
    assert (first.headers["x-request-id"], first.headers["x-correlation-id"]) == ("req-1", "req-1")
    assert (second.headers["x-request-id"], second.headers["x-correlation-id"]) == ("cor-1", "cor-1")
    assert (third.headers["x-request-id"], third.headers["x-correlation-id"]) == ("r", "c")
    assert [line["request_id"] for line in lines() if "route" in line] == ["req-1", "cor-1", "r"]


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
def test_a_hostile_header_reaches_neither_log_nor_response(lines: Lines, header: bytes, value: bytes) -> None:
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


def test_incoming_ids_are_ignored_when_not_trusted() -> None:
    obs.init("shop", trust_incoming=False)
    (answer,) = call(shop(), "/items/1", **{"x-request-id": "mine", "traceparent": PARENT})
    assert answer.headers["x-request-id"] != "mine"
    assert TRACE not in answer.headers["traceparent"]


def test_the_server_span_continues_the_callers_and_is_named_by_the_route(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    call(shop(), "/items/1", traceparent=PARENT)
    call(shop(), "/refused")
    assert obs.flush(5)
    first, second = collector.spans
    assert (first.name, first.trace_id.hex(), first.parent_span_id.hex()) == (
        "GET /items/{item}",
        TRACE,
        SPAN,
    )
    assert first.kind == 2
    assert attributes(first)["http.response.status_code"] == 200
    assert attributes(first)["http.route"] == "/items/{item}"
    assert second.status.code == 2


def test_the_span_of_an_unmatched_request_has_no_route(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    call(shop(), "/scan/1")
    assert obs.flush(5)
    (span,) = collector.spans
    assert span.name == "GET"
    assert "http.route" not in attributes(span)


def test_a_request_makes_exactly_one_server_span(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    call(shop(), "/items/1")
    assert obs.flush(5)
    assert collector.names() == ["GET /items/{item}"]


def test_an_unhandled_error_has_ids_on_its_500_and_one_stack_in_the_log(lines: Lines) -> None:
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


def test_an_unhandled_error_reaches_the_server_unchanged() -> None:
    obs.init("shop")
    app = shop()

    async def run() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            await client.get("/boom")

    with pytest.raises(ValueError, match="kaputt"):
        asyncio.run(run())


def test_a_handler_for_500_of_the_application_still_answers() -> None:
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


def test_a_bare_application_that_fails_gets_a_500_with_ids() -> None:
    obs.init("shop")

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("early")

    (answer,) = call(Middleware(bare), "/x")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["x-request-id"]


def test_an_unknown_path_is_unmatched_never_itself() -> None:
    obs.init("shop")
    app = shop()
    call(app, *(f"/scan/{number}" for number in range(20)))
    assert counts(app) == {("GET", "unmatched", "404"): 20}


def test_an_unknown_method_is_other() -> None:
    obs.init("shop")
    app = shop()
    call(app, httpx.Request("BREW", "http://shop/items/1"))
    assert counts(app) == {("_OTHER", "/items/{item}", "405"): 1}


def test_a_streamed_response_is_counted_once() -> None:
    obs.init("shop")
    app = shop()
    (answer,) = call(app, "/stream")
    assert answer.text == "012"
    assert counts(app) == {("GET", "/stream", "200"): 1}


def test_background_work_is_not_part_of_the_duration(lines: Lines) -> None:
    obs.init("shop")
    app, began = FastAPI(), []

    async def work() -> None:
        began.append(time.perf_counter())
        await asyncio.sleep(0.2)

    @app.get("/background")
    async def background() -> Response:
        return PlainTextResponse("ok", background=BackgroundTask(work))

    obs.instrument(app)
    asked = time.perf_counter()
    call(app, "/background")
    (access,) = lines()
    # What was measured ended before the background work began, however slow the machine is.
    assert access["duration"] <= began[0] - asked


def test_a_websocket_passes_through() -> None:
    obs.init("shop")
    app, sent = shop(), []
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    scope = {
        "type": "websocket", "path": "/socket", "raw_path": b"/socket", "query_string": b"", "headers": [],
        "scheme": "ws", "server": ("s", 80), "client": ("c", 1), "root_path": "", "subprotocols": [],
    }  # fmt: skip

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(app(scope, receive, send))
    assert sent == ["websocket.accept", "websocket.send", "websocket.close"]
    assert counts(app) == {}


@pytest.mark.parametrize("how", ["cancelled", "disconnect"])
def test_a_client_that_leaves_before_an_answer_is_499_and_no_error(lines: Lines, how: str) -> None:
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


def test_in_flight_requests_are_counted_while_they_run() -> None:
    obs.init("shop")
    seen = []

    async def looking(scope: Any, receive: Any, send: Any) -> None:
        seen.append(tally_active())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = Middleware(looking)

    def tally_active() -> float:
        from obs.integrations.exchange import ACTIVE

        series = ACTIVE.series(("GET",))
        assert series is not None
        return float(series._child._value.get())  # type: ignore[attr-defined]

    call(app, "/")
    assert seen == [1.0]
    assert tally_active() == 0.0


def test_the_endpoints_of_obs_are_in_no_metric_line_or_span(lines: Lines, collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    app = shop()
    answers = call(app, "/metrics", "/health", "/ready", "/live")
    assert [answer.status_code for answer in answers] == [200] * 4
    assert json.loads(answers[1].text)["status"] == "healthy"
    assert counts(app) == {}
    assert lines() == []
    assert obs.flush(5)
    assert collector.spans == []


def test_the_endpoints_work_behind_a_root_path() -> None:
    obs.init("shop")
    app = shop()

    async def run() -> list[int]:
        transport = httpx.ASGITransport(app=app, root_path="/api")
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return [(await client.get(path)).status_code for path in ("/metrics", "/api/metrics")]

    assert asyncio.run(run()) == [200, 200]


def test_a_post_to_an_endpoint_belongs_to_the_application() -> None:
    obs.init("shop")
    (answer,) = call(shop(), httpx.Request("POST", "http://shop/health"))
    assert answer.status_code == 404


def test_headers_that_the_application_sets_itself_are_not_doubled() -> None:
    obs.init("shop")
    app = FastAPI()

    @app.get("/")
    async def own() -> Response:
        return PlainTextResponse("x", headers={"X-Request-ID": "own"})

    obs.instrument(app)
    (answer,) = call(app, "/")
    assert answer.headers.get_list("x-request-id") == ["own"]


def test_the_classic_dialect_counts_requests_on_their_own() -> None:
    obs.init("shop", dialect="classic")
    app = shop()
    call(app, "/items/1")
    (total,) = [s for s in samples(app, "http_requests") if s.name == "http_requests_total"]
    assert total.labels == {"method": "GET", "path": "/items/{item}", "status": "200"}
    assert any(s.name.endswith("_bucket") for s in samples(app, "http_request_duration_seconds"))


def test_access_lines_can_be_switched_off(lines: Lines) -> None:
    obs.init("shop", access_log=False)
    call(shop(), "/items/1")
    assert [line["message"] for line in lines()] == ["looked up"]


def test_before_init_the_application_runs_as_if_alone() -> None:
    (answer,) = call(shop(), "/items/1")
    assert answer.status_code == 200
    assert "x-request-id" not in answer.headers


def test_with_every_pillar_off_requests_are_served() -> None:
    obs.init("shop", metrics=False, logs=False, traces=False)
    (answer,) = call(shop(), "/items/1")
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    assert tally.counts("errors") == {}


def test_a_second_init_moves_the_endpoints_of_a_running_application() -> None:
    obs.init("shop")
    app = shop()
    assert call(app, "/metrics")[0].status_code == 200
    obs.init("shop", metrics_path="/internal/metrics")
    moved, left = call(app, "/internal/metrics", "/metrics")
    assert (moved.status_code, left.status_code) == (200, 404)
