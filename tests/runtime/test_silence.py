"""A test run sends nothing out, whatever the environment says, and the status tells what it left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import obs
from obs.runtime import recording
from obs.runtime.settings import resolve
from obs.runtime.settings_table import TABLE
from obs.runtime.silence import _OFF, without_exporters


@pytest.fixture
def silenced() -> Iterator[None]:
    recording.silence("under pytest")
    yield
    recording.silence("")


def test_every_setting_that_names_a_place_on_the_network_is_known() -> None:
    assert {row.name for row in TABLE if row.type in {"URL", "DSN"}} <= set(_OFF)


def test_what_is_off_already_is_not_told() -> None:
    assert without_exporters(resolve({"service": "shop"})) == (resolve({"service": "shop"}), ())


@pytest.mark.usefixtures("silenced")
def test_nothing_leaves_and_the_status_says_why(collector: Any) -> None:
    status = obs.init(
        "shop",
        otlp_endpoint=collector.url,
        otlp_logs="on",
        metrics_push="on",
        sentry_dsn=f"http://key@127.0.0.1:{collector.port}/1",
        log_level="error",
    )
    assert {name for name, reason in status.skipped.items() if reason == "under pytest"} == {
        "otlp_endpoint",
        "otlp_logs",
        "sentry_dsn",
    }
    assert "trace export" not in status.on
    with obs.span("work"):
        obs.log.error("here")
    obs.capture(ValueError("kaputt"))
    assert obs.shutdown(5)
    assert collector.deliveries == []


def test_without_silence_the_same_goes_out(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, log_level="error")
    with obs.span("work"):
        pass
    assert obs.shutdown(5)
    assert collector.names() == ["work"]
