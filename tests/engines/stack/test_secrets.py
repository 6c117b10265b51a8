"""Secrets that senders plant wherever they can are found nowhere in Loki, in the trace store or in Prometheus."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

import pytest
from tests.engines.collector import otlp
from tests.engines.collector.test_masking import KEYS, PLANTED, SECRETS
from tests.engines.stack import load
from tests.engines.stack.conftest import Scene
from tests.engines.waiting import await_

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

_SERVICE = "leaky"


def _say(scene: Scene, trace: bytes) -> None:
    """Send lines, spans and samples with secrets, as a service would that masks nothing itself."""
    collector, of = (
        scene.stack.url("collector"),
        otlp.resource(_SERVICE, {"host": "api_key=resource-planted"}),
    )
    lines: list[tuple[Any, Any]] = [(text, {"note": text, "exception.stacktrace": text}) for text in SECRETS]
    load.post(f"{collector}/v1/logs", otlp.logs(of, [*lines, ("by key", KEYS)]))
    spans = [
        otlp.span(
            f"GET {text}",
            trace=trace,
            failed=True,
            message=text,
            attributes={"url.full": text, **KEYS},
            events=[("exception", {"exception.message": text, "exception.stacktrace": f"E\n {text}"})],
        )
        for text in SECRETS
    ]
    load.post(f"{collector}/v1/traces", otlp.traces(of, spans))
    for number, text in enumerate(SECRETS):
        load.post(f"{collector}/v1/metrics", otlp.samples(of, f"leaky_{number}", {"owner": text}, number))


def _order(scene: Scene, trace: bytes) -> None:
    """Place an order with secrets in the URL, in headers and in the body."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{scene.shop.url('storefront')}/orders?api_key=query-planted&email=jane.planted@example.com",
        json.dumps({"sku": "tea", "quantity": 100, "password": "body-planted"}).encode(),
        {
            "content-type": "application/json",
            "authorization": "Bearer abcdef-planted-123456",
            "cookie": "session_id=cookie-planted",
            "traceparent": f"00-{trace.hex()}-{os.urandom(8).hex()}-01",
        },
    )
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()


def test_planted_secrets_are_found_in_no_store(scene: Scene) -> None:
    stack, said, ordered = scene.stack, os.urandom(16), os.urandom(16)
    scene.shop.faults("payments", latency=1.2)
    try:
        _order(scene, ordered)
    finally:
        scene.shop.faults("payments")
    _say(scene, said)

    await_(lambda: len(stack.lines(f'{{service="{_SERVICE}"}}')) == len(SECRETS) + 1, "the lines are in Loki")
    await_(lambda: len(stack.trace(said.hex())) == len(SECRETS), "the spans are in the trace store")
    await_(lambda: stack.trace(ordered.hex()), "the order is in the trace store")
    of_the_order = f'{{service=~".+"}} | trace_id="{ordered.hex()}"'
    await_(lambda: stack.lines(of_the_order), "the order's lines are in Loki")
    pushed = f'count({{__name__=~"leaky_.*",service="{_SERVICE}"}})'
    await_(lambda: stack.value(pushed) == len(SECRETS), "the samples are in Prometheus")
    counted = f'traces_spanmetrics_calls_total{{service="{_SERVICE}"}}'
    await_(lambda: stack.query(counted), "the spans are counted in Prometheus")

    told = {
        "Loki": [stack.lines(f'{{service="{_SERVICE}"}}'), stack.lines(of_the_order)],
        "the trace store": [stack.ask("tempo", f"/api/v2/traces/{trace.hex()}") for trace in (said, ordered)],
        "Prometheus": [stack.ask("prometheus", "/api/v1/series", **{"match[]": '{service!=""}'})],
    }
    for store, answers in told.items():
        text = json.dumps(answers)
        assert _SERVICE in text, store
        assert [secret for secret in PLANTED if secret in text] == [], store
