"""Tests as users write them with the kit: they must pass a strict type checker. Checked, not run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

import obs
from obs.catalogue import http
from obs.testing import CapturedSpan, Clock, Distribution, Reading, Telemetry, capture

if TYPE_CHECKING:
    from typing_extensions import assert_type

PAID = obs.counter("orders.paid", "Orders paid.", labels=("method",))


def test_one_order(telemetry: Telemetry) -> None:
    assert_type(telemetry.clock, Clock)
    telemetry.clock.tick(0.5)
    assert_type(telemetry.logs, list[dict[str, Any]])
    assert_type(telemetry.spans, list[CapturedSpan])
    assert_type(telemetry.metrics, list[Reading])
    assert_type(telemetry.errors, list[dict[str, Any]])
    assert_type(telemetry.audit, list[dict[str, Any]])
    assert_type(telemetry.value("http.server.requests", http_route="/orders"), float)
    assert_type(telemetry.value(PAID, method="card"), float)
    assert_type(telemetry.value(http.SERVER_REQUESTS, {"http.route": "/orders"}), float)
    assert_type(telemetry.distribution("http.server.duration"), Distribution)
    assert_type(telemetry.assert_logged("order placed", order=7), dict[str, Any])
    assert_type(telemetry.assert_span("pack", {"order.id": 7}, kind="internal"), CapturedSpan)
    telemetry.assert_counted(PAID, 2, method="card")
    telemetry.assert_not_logged("order lost")
    telemetry.assert_error(ValueError, mechanism="http")
    telemetry.assert_audited("PAYMENT", user="ann")
    telemetry.assert_no_errors()
    telemetry.assert_no_secrets("hunter2")
    telemetry.clear()


@pytest.fixture
def checkout() -> Iterator[Telemetry]:
    kept: AbstractContextManager[Telemetry] = capture("checkout", log_level="info")
    with kept as telemetry:
        yield telemetry
