"""Secrets are found by their key, by their form and by their value, wherever they were captured."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

import obs
from obs.testing import Telemetry, capture, leaks

CARD = "4111 1111 1111 1111"
LOGIN = {"password": "hunter2"}
PLAIN = st.text("abcdefgh ", min_size=0, max_size=30)


def emit(**fields: Any) -> None:
    with obs.span("pay", fields) as span:
        span.event("asked", **fields)
        obs.log.info("paid", **fields)
    obs.log.error(f"no such card {fields}")


def test_what_the_redactor_masks_is_no_leak(telemetry: Telemetry) -> None:
    emit(**LOGIN, card=CARD, url="https://ann:hunter2@example.com/", header="Bearer abcdef123456")
    telemetry.assert_no_secrets("hunter2", CARD)


def test_what_passes_the_redactor_is_found_by_its_value(telemetry: Telemetry) -> None:
    emit(nickname="swordfish")
    with pytest.raises(AssertionError, match="4 secrets") as failure:
        telemetry.assert_no_secrets("swordfish")
    text = str(failure.value)
    assert "swordfish" not in text
    for place in (
        "logs[0].nickname",
        "logs[1].message",
        "spans[0].nickname",
        "spans[0].events[0][1].nickname",
    ):
        assert f"{place}: a planted value" in text


def test_with_redaction_off_keys_and_forms_are_found_all_the_same() -> None:
    with capture(redact=False) as telemetry:
        obs.log.info("paid", **LOGIN, card=CARD)
        with pytest.raises(AssertionError) as failure:
            telemetry.assert_no_secrets()
    lines = str(failure.value).splitlines()
    assert lines[1:] == [
        "  logs[0].password: a value under the secret key 'password': 7 characters",
        "  logs[0].card: a secret by its form: [redacted]",
    ]


def test_a_field_that_a_setting_allows_is_no_leak_but_a_planted_value_in_it_is() -> None:
    with capture(redact_allow="pin") as telemetry:
        obs.log.info("drawn", pin="1234-on-the-map")
        telemetry.assert_no_secrets()
        with pytest.raises(AssertionError, match="pin: a planted value"):
            telemetry.assert_no_secrets("1234-on-the-map")


def test_labels_of_metrics_are_searched(telemetry: Telemetry) -> None:
    obs.counter("kit.logins", labels=("user",)).inc(user="swordfish")
    with pytest.raises(AssertionError, match=r"metrics\[\d+\].user: a planted value"):
        telemetry.assert_no_secrets("swordfish")


@given(secret=st.text(min_size=4, max_size=40), before=PLAIN, after=PLAIN)
def test_a_planted_value_is_found_however_it_is_written(secret: str, before: str, after: str) -> None:
    encoded = base64.b64encode(secret.encode()).decode()
    for written in (secret, quote_plus(secret), encoded):
        captured = {"logs": [{"note": {"deep": [f"{before}{written}{after}"]}}]}
        found = leaks.find(captured, (secret,))
        assert [leak.place for leak in found if "planted" in leak.reason] == ["logs[0].note.deep[0]"]


def test_a_planted_value_that_would_be_found_everywhere_is_refused(telemetry: Telemetry) -> None:
    with pytest.raises(ValueError, match="expected 4 or more"):
        telemetry.assert_no_secrets("abc")


def test_a_planted_value_that_is_no_text_is_refused(telemetry: Telemetry) -> None:
    with pytest.raises(ValueError, match="got bytes, expected text"):
        telemetry.assert_no_secrets(b"hunter2")  # type: ignore[arg-type]
