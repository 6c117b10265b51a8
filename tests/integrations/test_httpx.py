"""Outgoing calls: measured, traced, and carrying our ids."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import obs
from obs.testing import Telemetry, capture

sent: list[httpx.Request] = []


def answer(request: httpx.Request) -> httpx.Response:
    sent.append(request)
    if request.url.path == "/down":
        raise httpx.ConnectError("refused")
    if request.url.path == "/moved":
        return httpx.Response(302, headers={"location": "/there"})
    if request.url.path == "/away":
        return httpx.Response(302, headers={"location": "http://elsewhere.example/there"})
    if request.url.path == "/stream":
        return httpx.Response(200, content=iter([b"a", b"b"]))
    return httpx.Response(int(request.url.params.get("status", "200")))


def client() -> httpx.Client:
    sent.clear()
    made = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://payments:81")
    obs.instrument(made)
    obs.instrument(made)
    return made


def counts(telemetry: Telemetry) -> dict[tuple[str, ...], float]:
    names = ("http_request_method", "server_address", "http_response_status_code", "error_type")
    return {
        tuple(item.labels[name] for name in names): item.value
        for item in telemetry.metrics
        if item.name == "http_client_request_duration_seconds_count"
    }


def test_a_call_is_measured_by_server_and_outcome(telemetry: Telemetry) -> None:
    with client() as http:
        http.get("/")
        http.get("/?status=503")
        with pytest.raises(httpx.ConnectError):
            http.get("/down")
    assert counts(telemetry) == {
        ("GET", "payments", "200", ""): 1,
        ("GET", "payments", "503", "503"): 1,
        ("GET", "payments", "", "ConnectError"): 1,
    }
    assert [
        (span.status, span.attributes["server.port"], span.attributes.get("http.response.status_code"))
        for span in telemetry.spans
    ] == [("unset", 81, 200), ("error", 81, 503), ("error", 81, None)]


def test_in_the_classic_dialect_calls_are_counted_on_their_own() -> None:
    with capture(dialect="classic") as telemetry, client() as http:
        http.get("/?status=404")
        (count,) = [item for item in telemetry.metrics if item.name == "http_client_requests_total"]
    assert (count.value, sorted(count.labels.values())) == (1, ["404", "404", "GET", "payments"])


def test_the_request_carries_the_ids_of_its_span(telemetry: Telemetry) -> None:
    with obs.extract({"x-request-id": "req-1"}), obs.span("outer"), client() as http:
        http.post("/pay?token=hunter2")
    outer = telemetry.assert_span("outer")
    call = telemetry.assert_span("POST", {"url.full": "http://payments:81/pay"}, kind="client")
    assert (call.parent_id, call.trace_id) == (outer.span_id, outer.trace_id)
    assert sent[0].headers["traceparent"] == f"00-{call.trace_id}-{call.span_id}-01"
    assert sent[0].headers["x-request-id"] == "req-1"
    telemetry.assert_no_secrets("hunter2")


def test_each_redirect_is_a_call(telemetry: Telemetry) -> None:
    with client() as http:
        assert http.get("/moved", follow_redirects=True).status_code == 200
    assert counts(telemetry) == {("GET", "payments", "302", ""): 1, ("GET", "payments", "200", ""): 1}


def test_an_asynchronous_client_is_measured_as_well(telemetry: Telemetry) -> None:

    async def run() -> None:
        async with httpx.AsyncClient(
            transport=httpx.MockTransport(answer), base_url="http://payments"
        ) as http:
            obs.instrument(http)
            await http.get("/")
            with pytest.raises(httpx.ConnectError):
                await http.get("/down")

    asyncio.run(run())
    assert len(counts(telemetry)) == 2


def test_our_headers_follow_no_redirect_out_of_the_house() -> None:
    obs.init("shop", propagate_to="payments")
    with obs.extract({"x-request-id": "req-1"}), client() as http:
        http.get("/away", follow_redirects=True)
    inside, outside = sent
    assert {"traceparent", "x-request-id"} <= set(inside.headers)
    assert not {"traceparent", "x-request-id"} & set(outside.headers)


def test_a_streamed_body_counts_when_it_has_been_read(telemetry: Telemetry) -> None:
    with obs.span("outer"), client() as http:
        here = obs.ids()
        with http.stream("GET", "/") as response:
            assert obs.ids() == here
            assert counts(telemetry) == {}
            response.read()
        assert counts(telemetry) == {("GET", "payments", "200", ""): 1}
        given_up = http.send(http.build_request("GET", "/stream"), stream=True)
        given_up.close()
        assert given_up.is_closed
        assert sum(counts(telemetry).values()) == 2
        assert http.send(http.build_request("GET", "/"), stream=True).status_code == 200
    gc.collect()
    assert sum(counts(telemetry).values()) == 3


def test_a_streamed_body_of_an_asynchronous_client_counts_when_it_has_been_read(telemetry: Telemetry) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def run() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=parts()))
        async with httpx.AsyncClient(transport=transport, base_url="http://payments") as http:
            obs.instrument(http)
            async with http.stream("GET", "/") as response:
                assert await response.aread() == b"ab"
            assert sum(counts(telemetry).values()) == 1
            given_up = await http.send(http.build_request("GET", "/"), stream=True)
            await given_up.aclose()
            assert given_up.is_closed

    asyncio.run(run())
    assert counts(telemetry) == {("GET", "payments", "200", ""): 2}


def test_the_module_stands_for_every_client_of_it(
    monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry
) -> None:
    for kind in (httpx.Client, httpx.AsyncClient):
        monkeypatch.setattr(kind, "send", kind.send)
    monkeypatch.setattr(httpx, "_obs_instrumented", True, raising=False)
    monkeypatch.delattr(httpx, "_obs_instrumented")
    obs.instrument(httpx)
    obs.instrument(httpx)

    class Custom(httpx.Client):
        def send(self, *args: Any, **kwargs: Any) -> httpx.Response:
            return super().send(*args, **kwargs)

    with Custom(transport=httpx.MockTransport(answer), base_url="http://payments") as custom:
        custom.get("/moved", follow_redirects=True)
    with client() as http:
        http.get("/")
    assert sum(counts(telemetry).values()) == 3


def test_hooks_of_the_host_still_run_and_may_raise(telemetry: Telemetry) -> None:
    seen: list[str] = []

    def refuse(response: httpx.Response) -> None:
        seen.append("response")
        response.raise_for_status()

    with client() as http:
        http.event_hooks = {
            "request": [*http.event_hooks["request"], lambda _: seen.append("request")],
            "response": [*http.event_hooks["response"], refuse],
        }
        with pytest.raises(httpx.HTTPStatusError):
            http.get("/?status=500")
    assert seen == ["request", "response"]
    assert counts(telemetry) == {("GET", "payments", "500", "HTTPStatusError"): 1}


def test_headers_set_by_the_caller_stay(telemetry: Telemetry) -> None:
    with obs.span("outer"), client() as http:
        http.get("/", headers={"traceparent": "mine"})
    assert sent[0].headers["traceparent"] == "mine"


def test_before_init_a_call_just_happens() -> None:
    with client() as http:
        assert http.get("/").status_code == 200
