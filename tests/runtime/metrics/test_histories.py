"""Whatever processes do between two scrapes: what is remembered shows in no scrape."""

from __future__ import annotations

import gc
import itertools
import math
import tracemalloc
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.metrics import reference

from obs.runtime.metrics import compact, exact, gather, group, reader, render, retained
from obs.runtime.metrics.family import HEAD, Definition, Exemplar, Family, Values
from obs.runtime.metrics.files import Files, Index
from obs.runtime.metrics.gather import Gatherer
from obs.runtime.metrics.group import Group, new_name
from obs.runtime.metrics.plan import Source
from obs.runtime.metrics.reader import Reader
from obs.runtime.metrics.retained import RetainedReader

#: Metrics of one program, and of another version of it that has one in another shape.
DEFINITIONS = (
    Definition("c", "counter", "C.", ("k",), open=(0,), cap=2),
    Definition("c", "counter", "C.", ("k", "j"), open=(0, 1), cap=2),
    Definition("h", "histogram", "H.", ("k",), (1.0, 2.0), open=(0,), cap=3),
    Definition("sum", "gauge", "Sum.", ("k",)),
    Definition("max", "gauge", "Max.", ("k",), across="max"),
    Definition("min", "gauge", "Min.", ("k",), across="min"),
    Definition("latest", "gauge", "Latest.", ("k",), open=(0,), cap=2, across="latest"),
)
FAMILIES = [Family(definition) for definition in DEFINITIONS]
STEPS = ("start", "end", "compact", "scrape", "scrape", *["count"] * 4)
#: What an event adds: whole numbers, and seconds of which each sum rounds something off.
AMOUNTS = st.floats(0.001, 1000.0) | st.just(1.0)
EVENTS = st.tuples(st.sampled_from(FAMILIES), st.sampled_from("abcde"), AMOUNTS, st.booleans())


class Process:
    """A process that counts what it is told to, in files of a group."""

    def __init__(self, of: Group) -> None:
        self.files = Files(of.folder, new_name(), Index(), 0)
        self._places: dict[tuple[int, Values], int] = {}
        self._size = 0

    def count(self, family: Family, key: str, number: float, when: float, *, marked: bool) -> None:
        """Do to a series what its handle would."""
        values = (key,) * len(family.definition.labels)
        at = self._places.get((id(family), values))
        if at is None:
            at = self._places[id(family), values] = self._size
            self._size += family.width
            self.files.add(family, values, at)
        cells, kind = self.files.cells, family.definition.kind
        # Those that a child has from its parent have not been created by it.
        if kind != "gauge" and not cells[at + 1] and number >= 1:
            cells[at + 1] = when
        if kind == "gauge":
            cells[at] = math.nan if number < 1 else number
            cells[at + 1] = when
            return
        cells[at] += number
        bucket = at
        if kind == "histogram":
            bucket += HEAD + sum(number > bound for bound in family.definition.buckets)
            cells[bucket] += 1
        if marked:
            self.files.mark(bucket, Exemplar("a" * 32, "b" * 16, number, when))


def lead(folder: Path) -> Group:
    leader = group.itself()
    assert leader is not None
    return Group(str(folder), "shop", leader, led=False)


def sources(of: Group) -> list[Source]:
    """Read everything for the first time."""
    fresh = Reader()
    contents, absorbed = RetainedReader(fresh).read(of.folder)
    names = [name for name in of.names() if name not in absorbed]
    read = [Source(fresh.read(of.folder, name), of.is_alive(name)) for name in names]
    return [Source(contents, alive=False), *read]


def shown(snapshot: render.Snapshot) -> list[str]:
    return [render.text(snapshot), render.openmetrics(snapshot)]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
def test_a_scrape_shows_the_same_bytes_as_one_that_remembers_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    of, gatherer, random = lead(tmp_path_factory.mktemp("group")), Gatherer(), Random(seed)
    living, now = [Process(of), Process(of)], 1.0
    for step in [*random.choices(STEPS, k=random.randint(5, 30)), "scrape"]:
        if step == "start":
            living.append(Process(of))
        elif step == "scrape":
            expected = shown(reference.snapshot(sources(of)))
            assert shown(gatherer.gather(of)[0]) == expected
        elif step == "compact":
            compact.compact(of, at_least=random.randint(1, 3))
        elif living and step == "end":
            living.pop(random.randrange(len(living))).files.close()
        elif living:
            process = random.choice(living)
            for _ in range(random.randint(1, 6)):
                now += 1
                amount = random.choice((1.0, 2.0, random.random(), random.random()))
                family, key = random.choice(FAMILIES), random.choice("abc")
                process.count(family, key, amount, now, marked=random.random() < 0.5)
    for process in living:
        process.files.close()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(EVENTS, max_size=10), max_size=5))
def test_what_is_kept_of_the_dead_is_what_was_counted_up_to_the_cap(
    tmp_path_factory: pytest.TempPathFactory, counted: list[list[tuple[Family, str, float, bool]]]
) -> None:
    of, now = lead(tmp_path_factory.mktemp("group")), 1.0
    for events in counted:
        process = Process(of)
        for family, key, amount, marked in events:
            now += 1
            process.count(family, key, amount, now, marked=marked)
        process.files.close()
    every = [Source(source.contents, alive=False) for source in sources(of)]
    expected = {
        family.definition: {
            values: (
                one.numbers(family.definition),
                exact.parts(one.terms)[1:],
                sorted(one.exemplars.items()),
            )
            for values, one in known.items()
        }
        for family, known in reference.add_up(every, capped=True)
    }
    kept = {
        definition: {
            values: (list(one.numbers), list(one.lacks), sorted(one.exemplars.items()))
            for values, one in series.items()
        }
        for definition, series in compact.added_up(every)
    }
    assert repr(kept) == repr(expected)


def taken() -> int:
    """Return the bytes that our own code holds, what a named tuple makes included; pathlib has caches too."""
    ours = [tracemalloc.Filter(True, pattern) for pattern in ("*/runtime/metrics/*", "<string>")]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(ours).traces)


def test_of_processes_that_come_and_go_a_scrape_remembers_nothing(tmp_path: Path) -> None:
    of, gatherer, counted = lead(tmp_path), Gatherer(), itertools.count(1)
    stays = Process(of)

    def generations(number: int) -> None:
        for _ in range(number):
            process = Process(of)
            for which in (stays, process):
                for family in FAMILIES[2:]:
                    # Of gauges that nobody alive has, and beyond the cap, nothing is kept of the dead.
                    when = next(counted)
                    which.count(family, "same" if which is stays else f"{when:050}", 2.0, when, marked=True)
            gatherer.gather(of)
            process.files.close()
            gatherer.gather(of)
        gc.collect()

    generations(10)
    tracemalloc.start()
    try:
        before = taken()
        generations(40)
        grown = taken() - before
    finally:
        tracemalloc.stop()
    expected = shown(reference.snapshot(sources(of)))
    assert shown(gatherer.gather(of)[0]) == expected
    stays.files.close()
    assert grown < 45_000, grown


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of, gatherer = lead(tmp_path), Gatherer()
    for number in (0.1, 0.2):
        gone = Process(of)
        gone.count(FAMILIES[2], "a", number, 1.0, marked=True)
        gone.files.close()
    living = Process(of)
    living.count(FAMILIES[2], "a", 0.7, 2.0, marked=True)
    gatherer.gather(of)
    gatherer.gather(of)
    read: list[bytes] = []
    for module in (reader, retained):
        monkeypatch.setattr(module, "loads", read.append)
    monkeypatch.setattr(gather, "Plan", None)
    living.count(FAMILIES[2], "a", 0.7, 3.0, marked=True)
    assert shown(gatherer.gather(of)[0])[0].splitlines()[-1] == 'h_sum{k="a"} 1.7'
    assert read == []
    living.files.close()
