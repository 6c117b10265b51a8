"""What our renderer writes is byte for byte what prometheus_client writes, from its own metrics and from ours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from unittest import mock

import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from obs.catalogue.signal import Kind
from obs.runtime.metrics import render, scrape
from obs.runtime.metrics.family import Definition, Exemplar, Family, Row

# Untyped in prometheus_client.
stock_openmetrics: Any = openmetrics.generate_latest
created_on: Any = prometheus_client.enable_created_metrics
created_off: Any = prometheus_client.disable_created_metrics
BORN = 1_700_000_000.25
AT = 1_700_000_123.5
finite = st.floats(allow_nan=False, allow_infinity=False)
amounts = st.one_of(
    st.floats(0, 1e22, allow_nan=False), st.integers(0, 10**7), st.sampled_from([1e6, 999_999.5, 1e16, 1e-7])
)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    # What has a meaning in one of the formats.
    st.text('a\\\n"{}=,# ', max_size=8),
)
names = st.lists(
    st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).filter(lambda name: name != "le"),
    unique=True,
    max_size=3,
)
bounds = st.lists(st.floats(-10, 1e7, allow_nan=False), min_size=1, max_size=4, unique=True).map(sorted)
ids = st.tuples(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1)).map(
    lambda pair: (f"{pair[0]:032x}", f"{pair[1]:016x}")
)


@st.composite
def families(draw: st.DrawFn) -> tuple[Definition, dict[tuple[str, ...], list[tuple[float, Any]]]]:
    kinds: tuple[Kind, ...] = ("counter", "gauge", "histogram")
    kind = draw(st.sampled_from(kinds))
    labels = tuple(draw(names))
    definition = Definition(
        draw(st.from_regex(r"[a-z][a-z_]{0,8}[a-z]", fullmatch=True)),
        kind,
        draw(texts),
        labels,
        tuple(draw(bounds)) if kind == "histogram" else (),
    )
    values = st.lists(texts, min_size=len(labels), max_size=len(labels)).map(tuple)
    value = finite if kind == "gauge" else amounts
    events = st.lists(st.tuples(value, st.none() | ids), max_size=3)
    return definition, draw(st.dictionaries(values, events, max_size=3))


def stock(
    definition: Definition, series: dict[tuple[str, ...], list[tuple[float, Any]]]
) -> CollectorRegistry:
    """Return the same metric, made and filled by prometheus_client."""
    registry = CollectorRegistry()
    kinds: dict[str, Any] = {
        "counter": prometheus_client.Counter,
        "gauge": prometheus_client.Gauge,
        "histogram": prometheus_client.Histogram,
    }
    extra = {"buckets": definition.buckets} if definition.kind == "histogram" else {}
    with mock.patch("time.time", return_value=BORN):
        metric = kinds[definition.kind](
            definition.name, definition.help, definition.labels, registry=registry, **extra
        )
        children = {values: metric.labels(*values) if definition.labels else metric for values in series}
    with mock.patch("time.time", return_value=AT):
        for values, events in series.items():
            for amount, exemplar in events:
                _apply(definition.kind, children[values], amount, exemplar)
    return registry


def _apply(kind: str, child: Any, amount: float, exemplar: Any) -> None:
    marks = {"trace_id": exemplar[0], "span_id": exemplar[1]} if exemplar else None
    if kind == "gauge":
        child.set(amount)
    elif kind == "counter":
        child.inc(amount, marks)
    else:
        child.observe(amount, marks)


def ours(definition: Definition, series: dict[tuple[str, ...], list[tuple[float, Any]]]) -> render.Snapshot:
    """Return the same metric in cells."""
    family = Family(definition)
    if not definition.labels and not series:
        series = {(): []}
    cells: list[float] = []
    exemplars: dict[int, Exemplar] = {}
    rows = []
    for values, events in series.items():
        at = len(cells)
        rows.append(Row(values, family.starts(values), at))
        cells += [0.0, BORN, *[0.0] * len(family.bounds)]
        for amount, exemplar in events:
            cell = at
            if definition.kind == "gauge":
                cells[at] = float(amount)
            else:
                cells[at] += amount
            if definition.kind == "histogram":
                cell = at + 2 + next(n for n, bound in enumerate(family.bounds) if amount <= bound)
                cells[cell] += 1
            if exemplar and definition.kind != "gauge":
                trace_id, span_id = exemplar
                exemplars[cell] = Exemplar(trace_id, span_id, float(amount), AT)
    return render.Snapshot([(family, rows)], cells, exemplars)


@given(families())
@settings(max_examples=300)
def test_the_bytes_are_those_of_the_stock_renderer(made: Any) -> None:
    definition, series = made
    registry, snapshot = stock(definition, series), ours(definition, series)
    assert render.openmetrics(snapshot).encode() + b"# EOF\n" == stock_openmetrics(registry)
    created_off()
    try:
        assert render.text(snapshot).encode() == generate_latest(registry)
    finally:
        created_on()


@given(families())
@settings(max_examples=100)
def test_the_stock_renderer_writes_the_same_from_what_a_registry_collects_of_us(made: Any) -> None:
    snapshot = ours(*made)

    class Collector:
        def collect(self) -> Any:
            return render.metrics(snapshot)

    collected: Any = Collector()
    assert render.openmetrics(snapshot).encode() + b"# EOF\n" == stock_openmetrics(collected)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, -0.0, -1e7, 123456789.125, 1e300])
def test_numbers_of_gauges_are_written_as_go_writes_them(number: float) -> None:
    definition = Definition("level", "gauge", "Level.")
    series: dict[tuple[str, ...], list[tuple[float, Any]]] = {(): [(number, None)]}
    assert render.text(ours(definition, series)).encode() == generate_latest(stock(definition, series))


class _Source:
    def __init__(self, snapshot: render.Snapshot) -> None:
        self.snapshot = snapshot

    def view(self) -> tuple[render.Snapshot, Sequence[prometheus_client.Metric]]:
        return self.snapshot, ()


@pytest.mark.parametrize("escaping", ["underscores", "allow-utf-8", "dots", "values"])
@pytest.mark.parametrize("form", ["application/openmetrics-text", "text/plain"])
def test_every_way_to_escape_names_gives_what_the_stock_renderer_gives(form: str, escaping: str) -> None:
    definition = Definition("basket_items", "counter", 'In "baskets".', ("shop_name",))
    series: dict[tuple[str, ...], list[tuple[float, Any]]] = {
        ('a"b',): [(2.0, ("0" * 31 + "1", "0" * 15 + "1"))]
    }
    snapshot = ours(definition, series)
    accept = f"{form};version=1.0.0;escaping={escaping}"
    encode, content_type = choose_encoder(accept)
    answer = scrape.answer(_Source(snapshot), accept, "")
    assert answer.content_type == content_type
    mine = [line for line in answer.body.splitlines() if b"basket" in line]
    created_off()
    try:
        expected = [line for line in encode(stock(definition, series)).splitlines() if b"basket" in line]
    finally:
        created_on()
    assert [line for line in mine if b"created" not in line] == expected
