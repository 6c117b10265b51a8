"""The contract says everything about a signal that the toolchain needs, and reads back the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.catalogue import Counter, Gauge, Histogram, Label, Registry, Signal, bundled, contract
from obs.catalogue.signal import Across
from obs.errors import ConfigError

_word = st.from_regex(r"[a-z]{3,8}", fullmatch=True)


@st.composite
def _signals(draw: st.DrawFn) -> Signal:
    stem = "x" + draw(_word)
    labels = tuple(
        Label(f"l.{name}", help=name, values=values, bounded=bounded, classic=classic)
        for name, values, bounded, classic in draw(
            st.lists(
                st.tuples(_word, st.tuples() | st.tuples(_word), st.booleans(), st.just("") | _word),
                unique_by=lambda row: row[0],
                max_size=3,
            )
        )
    )
    kind = draw(st.sampled_from(["counter", "gauge", "histogram"]))
    if kind == "counter":
        return Counter(id=stem, metric=f"{stem}_total", help=draw(st.text(max_size=20)), labels=labels)
    if kind == "gauge":
        every: tuple[Across, ...] = ("sum", "max", "min", "latest")
        across = draw(st.sampled_from(every))
        return Gauge(id=stem, metric=stem, help=draw(st.text(max_size=20)), labels=labels, across=across)
    bounds = draw(st.lists(st.integers(1, 1000), min_size=1, max_size=5, unique=True))
    return Histogram(
        id=stem,
        metric=f"{stem}_seconds",
        help="",
        labels=labels,
        buckets=tuple(float(b) for b in sorted(bounds)),
    )


def test_the_bundled_catalogue_reads_back_the_same() -> None:
    text = contract.dumps(bundled(), "shop")

    assert sorted(bundled(), key=lambda s: s.id) == sorted(contract.loads(text, "x"), key=lambda s: s.id)
    assert text == contract.dumps(contract.loads(text, "x"), "shop")


@given(_signals())
def test_any_legal_signal_reads_back_the_same(signal: Signal) -> None:
    text = contract.dumps(Registry([signal]))

    assert [signal] == list(contract.loads(text, "x"))


BROKEN = {
    "not JSON": ("{", r"my\.json:1:2: not JSON"),
    "nested without end": ("[" * 100_000 + "]" * 100_000, "expected an object"),
    "a number without end": (f'{{"format": {"9" * 5000}}}', "expected an object"),
    "another format": ('{"format": "x"}', r"expected an object with format 'obs\.contract/v1'"),
    "a list": ("[]", "expected an object"),
    "signals of the wrong type": ('{"format": "obs.contract/v1", "signals": {}}', "signals must be a list"),
    "signal without a kind": ('{"format": "obs.contract/v1", "signals": [{}]}', "signal 1: malformed"),
    "signal that is no object": ('{"format": "obs.contract/v1", "signals": [3]}', "signal 1: malformed"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_contract_is_refused_by_file_and_place(case: str) -> None:
    text, message = BROKEN[case]

    with pytest.raises(ConfigError, match=message):
        contract.loads(text, "my.json")


def test_an_illegal_signal_in_a_contract_is_refused() -> None:
    data = contract.export([Gauge(id="depth", metric="depth", help="")])
    data["signals"][0]["names"] = {"otel": "depth_total", "classic": "depth_total"}

    with pytest.raises(ConfigError, match=r"my\.json: signal 1: .*for counters only"):
        contract.loads(json.dumps(data), "my.json")
