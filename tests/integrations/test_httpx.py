"""Outgoing calls: measured, traced, and carrying our ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics import parser

import obs
from obs.runtime import endpoints

sent: list[httpx.Request] = []
# Untyped in prometheus_client.
parse: Any = parser.text_string_to_metric_families


def answer(request: httpx.Request) -> httpx.Response:
    sent.append(request)
    if request.url.path == "/down":
        raise httpx.ConnectError("refused")
    if request.url.path == "/moved":
        return httpx.Response(302, headers={"location": "/there"})
    return httpx.Response(int(request.url.params.get("status", "200")))


def client() -> httpx.Client:
    sent.clear()
    made = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://payments:81")
    obs.instrument(made)
    obs.instrument(made)
    return made


def counts() -> dict[tuple[str, ...], float]:
    body = asyncio.run(endpoints.answer("metrics", "application/openmetrics-text;version=1.0.0", "")).body
    return {
        tuple(
            sample.labels[name]
            for name in (
                "http_request_method", "server_address", "http_response_status_code", "error_type",
            )
        ): sample.value
        for family in parse(body.decode())
        for sample in family.samples
        if sample.name == "http_client_request_duration_seconds_count"
    }  # fmt: skip


def test_a_call_is_measured_by_server_and_outcome() -> None:
    obs.init("shop")
    with client() as http:
        http.get("/")
        http.get("/?status=503")
        with pytest.raises(httpx.ConnectError):
            http.get("/down")
    assert counts() == {
        ("GET", "payments", "200", ""): 1,
        ("GET", "payments", "503", "503"): 1,
        ("GET", "payments", "", "ConnectError"): 1,
    }


def test_the_request_carries_the_ids_of_its_span(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.extract({"x-request-id": "req-1"}), obs.span("outer"), client() as http:
        http.post("/pay?token=hunter2")
    assert obs.flush(5)
    call, outer = collector.spans
    assert (call.name, call.kind, call.parent_span_id) == ("POST", 3, outer.span_id)
    assert sent[0].headers["traceparent"] == f"00-{call.trace_id.hex()}-{call.span_id.hex()}-01"
    assert sent[0].headers["x-request-id"] == "req-1"
    assert attributes(call)["url.full"] == "http://payments:81/pay"
    assert "hunter2" not in str(call)


def test_each_redirect_is_a_call() -> None:
    obs.init("shop")
    with client() as http:
        assert http.get("/moved", follow_redirects=True).status_code == 200
    assert counts() == {("GET", "payments", "302", ""): 1, ("GET", "payments", "200", ""): 1}


def test_an_asynchronous_client_is_measured_as_well() -> None:
    obs.init("shop")

    async def run() -> None:
        async with httpx.AsyncClient(
            transport=httpx.MockTransport(answer), base_url="http://payments"
        ) as http:
            obs.instrument(http)
            await http.get("/")
            with pytest.raises(httpx.ConnectError):
                await http.get("/down")

    asyncio.run(run())
    assert len(counts()) == 2


def test_headers_set_by_the_caller_stay() -> None:
    obs.init("shop")
    with obs.span("outer"), client() as http:
        http.get("/", headers={"traceparent": "mine"})
    assert sent[0].headers["traceparent"] == "mine"


def test_before_init_a_call_just_happens() -> None:
    with client() as http:
        assert http.get("/").status_code == 200
