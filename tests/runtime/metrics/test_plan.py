"""Adding up processes: each kind its way, the dead where they still count, shapes that do not fit left out."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.runtime.metrics.compact import added_up
from obs.runtime.metrics.family import Definition, Exemplar, Family
from obs.runtime.metrics.plan import Plan, Source
from obs.runtime.metrics.reader import Block, Contents

COUNTER = Family(Definition("c", "counter", "", ("k",), open=(0,), cap=2))
HISTOGRAM = Family(Definition("h", "histogram", "", (), (1.0,)))


def gauge(across: Any) -> Family:
    return Family(Definition("g", "gauge", "", (), across=across))


def contents(family: Family, *series: tuple[tuple[str, ...], list[float]]) -> Contents:
    cells = array("d")
    block = Block(family, {})
    for values, numbers in series:
        block.places[values] = len(cells)
        cells.extend(numbers)
    return Contents([block], cells, {})


class Total:
    """The sources of a sum."""

    def __init__(self) -> None:
        self.sources: list[Source] = []

    def add(self, contents: Contents, *, alive: bool) -> None:
        self.sources.append(Source(contents, alive))


def result(total: Total) -> dict[tuple[str, ...], list[float]]:
    plan = Plan(total.sources)
    cells = plan.add_up(total.sources).cells
    return {
        row.values: cells[row.at : row.at + family.width] for family, rows in plan.families() for row in rows
    }


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1000), st.integers(1, 9)), max_size=12))
def test_counters_of_the_living_and_the_dead_add_up_and_the_oldest_birth_wins(
    parts: list[tuple[str, int, int]],
) -> None:
    total = Total()
    for number, (key, value, born) in enumerate(parts):
        total.add(contents(COUNTER, ((key,), [value, born])), alive=number % 2 == 0)
    for key in {key for key, _, _ in parts}:
        mine = [(value, born) for of, value, born in parts if of == key]
        assert result(total)[(key,)] == [sum(value for value, _ in mine), min(born for _, born in mine)]


def test_histograms_add_up_bucket_by_bucket() -> None:
    total = Total()
    for _ in range(2):
        total.add(contents(HISTOGRAM, ((), [1.5, 7.0, 1.0, 2.0])), alive=False)
    assert result(total)[()] == [3.0, 7.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("across", "expected"), [("sum", 9.0), ("max", 7.0), ("min", 2.0), ("latest", 100.0)]
)
def test_gauges_add_up_as_they_declare(across: Any, expected: float) -> None:
    total = Total()
    family = gauge(across)
    # Value and when it was set; the third process has never set it, the last one is dead.
    for numbers, alive in (([7.0, 1.0], True), ([2.0, 2.0], True), ([0.0, 0.0], True), ([100.0, 3.0], False)):
        total.add(contents(family, ((), numbers)), alive=alive)
    assert result(total)[()][0] == expected


def test_a_gauge_that_nobody_alive_has_is_gone() -> None:
    total = Total()
    total.add(contents(gauge("max"), ((), [5.0, 1.0])), alive=False)
    assert result(total) == {}


@pytest.mark.parametrize("first", [math.nan, 4.0])
def test_what_one_process_cannot_read_hides_nothing(first: float) -> None:
    total = Total()
    for value in (first, 4.0 if math.isnan(first) else math.nan):
        total.add(contents(gauge("sum"), ((), [value, 0.0])), alive=True)
    assert result(total)[()][0] == 4.0


def test_what_is_kept_of_the_dead_has_no_more_series_than_the_cap() -> None:
    total = Total()
    for number in range(5):
        total.add(contents(COUNTER, ((str(number),), [1.0, 1.0])), alive=False)
    ((_, kept),) = added_up(total.sources)
    assert {values: series.numbers[0] for values, series in kept.items()} == {
        ("0",): 1.0, ("1",): 1.0, ("overflow",): 3.0,
    }  # fmt: skip


def test_another_shape_under_the_same_name_is_left_out() -> None:
    total = Total()
    total.add(contents(HISTOGRAM, ((), [1.0, 1.0, 1.0, 0.0])), alive=True)
    other = Family(Definition("h", "histogram", "", (), (1.0, 2.0)))
    total.add(contents(other, ((), [9.0, 1.0, 9.0, 9.0, 9.0])), alive=True)
    assert result(total)[()] == [1.0, 1.0, 1.0, 0.0]


def test_the_latest_exemplar_of_a_bucket_wins() -> None:
    total = Total()
    for at in (5.0, 9.0, 7.0):
        one = contents(HISTOGRAM, ((), [0.5, 1.0, 1.0, 0.0]))
        marks = {2: Exemplar("a" * 32, "b" * 16, at, at)}
        total.add(one._replace(exemplars=marks), alive=True)
    exemplars = Plan(total.sources).add_up(total.sources).exemplars
    assert [exemplar.at for exemplar in exemplars.values()] == [9.0]


def test_an_exemplar_of_what_is_left_out_is_left_out_too() -> None:
    total = Total()
    total.add(contents(COUNTER, (("a",), [1.0, 1.0])), alive=True)
    other = Family(Definition("c", "counter", "", ("j",)))
    marks = dict.fromkeys((0, 2, 9), Exemplar("a" * 32, "b" * 16, 1.0, 1.0))
    total.add(contents(other, (("a",), [9.0, 1.0]))._replace(exemplars=marks), alive=True)
    assert Plan(total.sources).add_up(total.sources).exemplars == {}


def test_a_birth_that_is_written_after_its_series_counts_as_soon_as_it_is_there() -> None:
    sources = [Source(contents(COUNTER, (("a",), [1.0, born])), alive=True) for born in (9.0, 0.0, 0.0)]
    plan = Plan(sources)
    for number, born, expected in ((0, 9.0, 9.0), (1, 5.0, 5.0), (2, 7.0, 5.0)):
        sources[number].contents.cells[1] = born
        assert plan.add_up(sources).cells == [3.0, expected]
