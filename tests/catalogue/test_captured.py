"""What the catalogue says of engines is what the pinned versions really tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.catalogue import Counter, Histogram, Signal
from obs.catalogue.captured import record
from obs.catalogue.captured.exposition import Family, families
from obs.catalogue.captured.record import Capture, committed, dumps, loads, vanished
from obs.catalogue.everything import PLATFORM
from obs.errors import ConfigError

#: Engine in the catalogue -> what its program is called.
PROGRAMS = {"collector": "otelcol"}
#: No registry serves this program: its signals are declared by hand.
DECLARED = {"blackbox"}

CAPTURES = committed()
SIGNALS = [(engine, signal) for engine, signals in PLATFORM.items() for signal in signals]


def captures_of(engine: str) -> list[Capture]:
    return [capture for capture in CAPTURES if capture.engine == PROGRAMS.get(engine, engine)]


def test_every_engine_is_captured_or_declared() -> None:
    assert {engine for engine in PLATFORM if not captures_of(engine)} == DECLARED


@pytest.mark.parametrize("engine", ["prometheus", "alertmanager"])
def test_the_oldest_and_the_newest_version_are_captured(engine: str) -> None:
    assert len(captures_of(engine)) == 2


@pytest.mark.parametrize(("engine", "signal"), SIGNALS, ids=[signal.id for _, signal in SIGNALS])
def test_a_signal_is_told_by_every_captured_version(engine: str, signal: Signal) -> None:
    name = signal.metric
    if isinstance(signal, Counter) and signal.counted_by:
        name = name.removesuffix("_count")
    for capture in captures_of(engine):
        family = capture.find(name)

        assert family is not None, capture.file
        assert set(signal.label_names()) <= set(family.labels), capture.file
        if isinstance(signal, Histogram):
            assert family.buckets == signal.buckets, capture.file
        if not (isinstance(signal, Counter) and signal.counted_by):
            assert family.type == signal.kind, capture.file


def test_platform_signals_say_where_they_come_from() -> None:
    origins = {engine: {signal.origin for signal in signals} for engine, signals in PLATFORM.items()}

    assert origins.pop("blackbox") == {"exporter"}
    assert set().union(*origins.values()) == {"engine"}


TEXT = """\
# HELP app_requests_total Requests.
# TYPE app_requests_total counter
app_requests_total{method="GET",path="/a \\"b\\" {c}",empty=""} 3
app_requests_total{code="200"} 1 1700000000000
# TYPE app_seconds histogram
app_seconds_bucket{route="/",le="0.5"} 1
app_seconds_bucket{route="/",le="1"} 1
app_seconds_bucket{route="/",le="+Inf"} 1
app_seconds_sum{route="/"} 0.2
app_seconds_count{route="/"} 1
# TYPE app_wait_seconds summary
app_wait_seconds{quantile="0.5"} 1
app_wait_seconds_count 1
# TYPE app_empty gauge
app_size_bytes 5
"""


def test_an_exposition_is_read_as_families() -> None:
    assert families(TEXT) == (
        Family("app_empty", "gauge", "", ()),
        Family("app_requests_total", "counter", "", ("code", "method", "path")),
        Family("app_seconds", "histogram", "s", ("route",), (0.5, 1.0)),
        Family("app_size_bytes", "untyped", "By", ()),
        Family("app_wait_seconds", "summary", "s", ()),
    )


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    families(text)


def test_a_capture_survives_its_file() -> None:
    capture = Capture("app", "1.0.0", families(TEXT))

    assert loads(dumps(capture), "x") == capture
    for one in CAPTURES:
        assert dumps(one) == (record.FOLDER / one.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', '{"format": "obs.capture/v1"}'])
def test_what_is_no_capture_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a capture"):
        loads(text, "x")


def test_what_has_vanished_is_named() -> None:
    before = Capture("app", "1.0.0", families(TEXT))
    now = Capture(
        "app",
        "1.0.0",
        (
            Family("app_requests_total", "gauge", "", ("code", "method")),
            Family("app_seconds", "histogram", "s", ("route",), (1.0,)),
        ),
    )

    assert vanished(before, before) == []
    assert vanished(before, now, ["app_requests_total", "app_seconds"]) == [
        "app_requests_total was a counter and is a gauge",
        "app_requests_total has lost the label path",
        "app_seconds has lost the bound 0.5",
    ]
    assert "app_empty is not there any more" in vanished(before, now)
