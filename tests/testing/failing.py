"""Tests that fail, for the messages that they fail with. Run by test_messages.py, not collected."""

from __future__ import annotations

import pytest

import obs
from obs.runtime.crashes import unhandled
from obs.testing import Telemetry

ORDERS = obs.counter("shop.orders", labels=("method", "result"))
STOCK = obs.gauge("shop.stock", labels=("place",))


@pytest.fixture(autouse=True)
def _work(telemetry: Telemetry) -> None:
    with obs.bind(user_id=7), obs.span("pack order", {"order.id": 41, "boxes": 2}):
        obs.log.info("order placed", order_id=41, total=9.5)
        obs.log.info("order packed", order_id=41)
    obs.log.warning("stock is low", left=2)
    ORDERS.inc(2, method="card", result="ok")
    ORDERS.inc(method="cash", result="refused")
    STOCK.set(3, place="north")
    STOCK.set(4, place="south")


def test_a_field_is_another(telemetry: Telemetry) -> None:
    telemetry.assert_logged("order placed", order_id=42, user=7, total=9.5)


def test_a_message_is_another(telemetry: Telemetry) -> None:
    telemetry.assert_logged("order place")


def test_a_line_that_must_not_be(telemetry: Telemetry) -> None:
    telemetry.assert_not_logged("stock is low", left=2)


def test_a_span_with_another_attribute(telemetry: Telemetry) -> None:
    telemetry.assert_span("pack order", {"order.id": 42}, boxes=2, kind="consumer")


def test_a_span_that_goes_on(telemetry: Telemetry) -> None:
    telemetry.clear()
    with obs.span("outer"), obs.span("inner"):
        telemetry.assert_span("inner")


def test_a_counter_grew_by_less(telemetry: Telemetry) -> None:
    telemetry.assert_counted("shop.orders", 3, method="card", result="ok")


def test_a_counter_grew_elsewhere(telemetry: Telemetry) -> None:
    telemetry.assert_counted(ORDERS, method="voucher")


def test_a_label_that_does_not_exist(telemetry: Telemetry) -> None:
    telemetry.value("shop.orders", methods="card")


def test_a_signal_that_does_not_exist(telemetry: Telemetry) -> None:
    telemetry.value("shop.order")


def test_a_gauge_with_several_series(telemetry: Telemetry) -> None:
    telemetry.value("shop.stock")


def test_an_error_of_another_kind(telemetry: Telemetry) -> None:
    unhandled(ValueError("no such order"), "thread", "unhandled exception in a thread")
    telemetry.assert_error(KeyError, mechanism="http")


def test_something_went_wrong(telemetry: Telemetry) -> None:
    unhandled(ValueError("no such order"), "thread", "unhandled exception in a thread")
    telemetry.assert_no_errors()


def test_nothing_was_audited(telemetry: Telemetry) -> None:
    telemetry.assert_audited("PAYMENT", user="ann")


def test_another_action_was_audited(telemetry: Telemetry) -> None:
    obs.audit("LOGIN", "shop", actor="ann")
    obs.security_event("login.failed", user="ann")
    telemetry.assert_audited("LOGOUT", actor="ann")


def test_a_secret_is_there(telemetry: Telemetry) -> None:
    obs.log.info("signed in", note="with hunter2 as always", header="dW46aHVudGVyMjI=")
    telemetry.assert_no_secrets("hunter2", "un:hunter22")
