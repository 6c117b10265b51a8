"""The fused middleware: one observation, one span, one line and the same ids for a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import obs
from obs.integrations.asgi import Middleware
from obs.runtime import context, tally
from obs.testing import Telemetry, capture

Lines = Callable[[], list[dict[str, Any]]]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_request_is_one_observation_with_an_exemplar_of_its_trace(
    samples: Any, shop: Any, call: Any, counts: Any
) -> None:
    obs.init("shop")
    app = shop()
    (answer,) = call(app, "/items/7", traceparent=PARENT)
    assert answer.status_code == 200
    assert counts(app) == {("GET", "/items/{item}", "200"): 1}
    exemplars = [s.exemplar for s in samples(app, "http_server_request_duration_seconds") if s.exemplar]
    assert [exemplar.labels["trace_id"] for exemplar in exemplars] == [TRACE]


def test_one_access_line_and_the_applications_lines_share_the_ids(lines: Lines, shop: Any, call: Any) -> None:
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


def test_a_valid_request_id_is_kept_and_echoed(lines: Lines, shop: Any, call: Any) -> None:
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


def test_incoming_ids_are_ignored_when_not_trusted(shop: Any, call: Any) -> None:
    obs.init("shop", trust_incoming=False)
    (answer,) = call(shop(), "/items/1", **{"x-request-id": "mine", "traceparent": PARENT})
    assert answer.headers["x-request-id"] != "mine"
    assert TRACE not in answer.headers["traceparent"]


def test_the_server_span_continues_the_callers_and_is_named_by_the_route(
    collector: Any, attributes: Callable[[Any], dict[str, Any]], shop: Any, call: Any
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    call(shop(), "/items/1", traceparent=PARENT)
    call(shop(), "/refused")
    assert obs.flush(30)
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


def test_the_span_is_named_by_the_method_until_its_route_is_known(telemetry: Telemetry, call: Any) -> None:
    names: list[str] = []

    async def look(request: Request) -> Response:
        span: Any = trace.get_current_span()
        names.append(span.name)
        return Response()

    app = Starlette(routes=[Route("/items/{item}", look)])
    obs.instrument(app)
    call(app, "/items/1")
    assert names == ["GET"]
    assert [span.name for span in telemetry.spans] == ["GET /items/{item}"]


def test_the_span_of_an_unmatched_request_has_no_route(
    collector: Any, attributes: Callable[[Any], dict[str, Any]], shop: Any, call: Any
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    call(shop(), "/scan/1")
    assert obs.flush(30)
    (span,) = collector.spans
    assert span.name == "GET"
    assert "http.route" not in attributes(span)


def test_a_request_makes_exactly_one_server_span(collector: Any, shop: Any, call: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    call(shop(), "/items/1")
    assert obs.flush(30)
    assert collector.names() == ["GET /items/{item}"]


def test_a_streamed_response_is_counted_once(shop: Any, call: Any, counts: Any) -> None:
    obs.init("shop")
    app = shop()
    (answer,) = call(app, "/stream")
    assert answer.text == "012"
    assert counts(app) == {("GET", "/stream", "200"): 1}


def test_background_work_is_not_part_of_the_duration(lines: Lines, call: Any) -> None:
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


def test_background_work_after_a_failure_is_not_part_of_its_duration_either(
    telemetry: Telemetry, call: Any
) -> None:
    async def refused(_: Request) -> Response:
        return PlainTextResponse("no", 503, background=BackgroundTask(lambda: telemetry.clock.tick(60)))

    app = Starlette(routes=[Route("/", refused)])
    obs.instrument(app)
    call(app, "/")
    (access,) = telemetry.logs
    assert (access["status"], access["duration"] < 60) == (503, True)
    assert telemetry.distribution("http.server.duration").sum < 60


def test_background_work_follows_the_record_of_its_request_in_the_same_trace(call: Any) -> None:
    with capture() as telemetry:
        app = FastAPI()

        async def work() -> None:
            telemetry.clock.tick(60)
            obs.log.info("working")

        @app.get("/background")
        async def background() -> Response:
            return PlainTextResponse("ok", background=BackgroundTask(work))

        obs.instrument(app)
        call(app, "/background")
        access, own = telemetry.logs
        (span,) = telemetry.spans
        assert (access["message"], own["message"]) == ("GET /background 200", "working")
        assert own["trace_id"] == access["trace_id"] == span.trace_id
        assert own["request_id"] == access["request_id"]
        assert access["duration"] < 60
        assert span.duration < 60
        assert telemetry.distribution("http.server.duration").sum < 60


def test_an_error_in_background_work_is_reported_though_the_request_has_succeeded(call: Any) -> None:
    with capture() as telemetry:
        app = FastAPI()

        def work() -> None:
            raise ValueError("too late")

        @app.get("/background")
        async def background() -> Response:
            return PlainTextResponse("ok", background=BackgroundTask(work))

        obs.instrument(app)
        (answer,) = call(app, "/background")
        assert answer.text == "ok"
        access, failure = telemetry.logs
        assert access["message"] == "GET /background 200"
        assert failure["message"] == "unhandled exception after the response to GET /background"
        assert failure["trace_id"] == access["trace_id"]
        assert telemetry.spans[0].status == "unset"
        telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
        telemetry.assert_counted("http.server.duration", 1, {"http.response.status_code": "200"})


def test_who_called_is_known_inside(call: Any) -> None:
    obs.init("shop", log_level="error")
    app, seen = FastAPI(), []

    @app.get("/")
    async def look() -> None:
        seen.append(context.client.get())

    obs.instrument(app)
    call(app, "/", **{"user-agent": "curl/8"})
    assert seen == [("127.0.0.1", "curl/8")]
    assert context.client.get() == ("", "")


def test_in_flight_requests_are_counted_while_they_run(call: Any) -> None:
    obs.init("shop")
    seen = []

    async def looking(scope: Any, receive: Any, send: Any) -> None:
        seen.append(tally_active())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = Middleware(looking)

    def tally_active() -> float:
        from obs.integrations.exchange import ACTIVE

        series: Any = ACTIVE.series(("GET",))
        return float(series._store.cells[series._at])

    call(app, "/")
    assert seen == [1.0]
    assert tally_active() == 0.0


def test_headers_that_the_application_sets_itself_are_not_doubled(call: Any) -> None:
    obs.init("shop")
    app = FastAPI()

    @app.get("/")
    async def own() -> Response:
        return PlainTextResponse("x", headers={"X-Request-ID": "own"})

    obs.instrument(app)
    (answer,) = call(app, "/")
    assert answer.headers.get_list("x-request-id") == ["own"]


def test_headers_that_can_be_read_only_once_reach_the_client(call: Any) -> None:
    obs.init("shop")

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        headers = (pair for pair in [(b"content-length", b"2"), (b"x-own", b"1")])
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    (answer,) = call(Middleware(bare), "/")
    assert (answer.headers["content-length"], answer.headers["x-own"]) == ("2", "1")
    assert answer.headers["x-request-id"]


def test_a_response_whose_file_the_server_sends_is_complete(lines: Lines, call: Any) -> None:
    obs.init("shop")
    sent: list[str] = []

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/a.txt"})
        sent.extend(line["message"] for line in lines())

    async def take(message: Any) -> None:
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(Middleware(bare)(scope, take, take))  # type: ignore[arg-type]
    # Recorded before the application went on.
    assert sent == ["GET unmatched 200"]


def test_the_classic_dialect_counts_requests_on_their_own(shop: Any, call: Any, samples: Any) -> None:
    obs.init("shop", dialect="classic")
    app = shop()
    call(app, "/items/1")
    (total,) = [s for s in samples(app, "http_requests") if s.name == "http_requests_total"]
    assert total.labels == {"method": "GET", "path": "/items/{item}", "status": "200"}
    assert any(s.name.endswith("_bucket") for s in samples(app, "http_request_duration_seconds"))


def test_access_lines_can_be_switched_off(lines: Lines, shop: Any, call: Any) -> None:
    obs.init("shop", access_log=False)
    call(shop(), "/items/1")
    assert [line["message"] for line in lines()] == ["looked up"]


def test_before_init_the_application_runs_as_if_alone(shop: Any, call: Any) -> None:
    (answer,) = call(shop(), "/items/1")
    assert answer.status_code == 200
    assert "x-request-id" not in answer.headers


def test_with_every_pillar_off_requests_are_served(shop: Any, call: Any) -> None:
    obs.init("shop", metrics=False, logs=False, traces=False)
    (answer,) = call(shop(), "/items/1")
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    assert tally.counts("errors") == {}


def test_a_client_that_has_gone_is_no_error_of_an_application_without_a_framework(
    telemetry: Telemetry,
) -> None:
    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) > 3:
            raise OSError("nobody there")

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "root_path": ""}
    with pytest.raises(OSError, match="nobody there"):
        asyncio.run(Middleware(stream)(scope, receive, send))
    telemetry.assert_no_errors()
    (access,) = telemetry.logs
    assert (access["level"], access["status"], access["disconnected"]) == ("info", 200, True)
