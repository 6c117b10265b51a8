"""Nothing of obs waits for itself, and nothing is lost or counted twice, when it is entered again in its middle."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from tests.runtime.reentry import everywhere

from obs.runtime import tally
from obs.runtime.metrics.family import Definition, Family
from obs.runtime.metrics.group import Group, itself
from obs.runtime.metrics.reader import Reader
from obs.runtime.metrics.store import CPU, TALLY, Store


def test_no_count_about_obs_is_lost_or_doubled() -> None:
    for place in everywhere():
        tally.reset()
        with place.interrupted_by(lambda: tally.add("errors", "setup")):
            tally.add("errors", "setup")
        assert tally.count("errors", "setup") == (2 if place.seen else 1), place.seen


def families() -> tuple[Family, Family]:
    return Family(Definition("one", "counter", "", ("who",))), Family(
        Definition("other", "counter", "", ("who",))
    )


def counted(store: Store, family: Family, *names: str) -> None:
    """Make series, and count in each."""
    for name in names:
        at = store.allocate(family, (name,))
        store.cells[at] += 1.0


def grouped(folder: Path) -> Group:
    leader = itself()
    assert leader is not None
    return Group(str(folder), "test", leader, led=True)


def read(folder: Path, store: Store) -> dict[tuple[str, str], float]:
    """Return what another process reads of this one."""
    contents = Reader().read(folder, store.name)
    found: dict[tuple[str, str], float] = {}
    for family, places in contents.blocks:
        for (who,), at in places.items():
            key = (family.definition.name, who)
            found[key] = found.get(key, 0.0) + contents.cells[at]
    return found


def test_a_series_that_is_made_in_the_middle_of_another_has_cells_of_its_own() -> None:
    for place in everywhere():
        store = Store(lambda: None)
        one, other = families()
        with place.interrupted_by(counted, store, other, "handler"):
            at = store.allocate(one, ("interrupted",))
        assert list(store.cells)[at : at + 2] == [0.0, 0.0], place.seen
        assert sum(store.cells) == (1.0 if place.seen else 0.0), place.seen


def test_another_process_reads_right_what_is_made_in_the_middle_of_another(tmp_path: Path) -> None:
    for number, place in enumerate(everywhere()):
        group = grouped(tmp_path / str(number))
        with closing(Store(lambda: None)) as store:
            one, other = families()
            store.join(group)
            store.open()
            # The second metric is new both to the handler and to what it interrupts, and so is more room.
            with place.interrupted_by(counted, store, other, *(f"handler {n}" for n in range(260))):
                counted(store, one, "interrupted")
                counted(store, other, "interrupted")
            expected = {(name, "interrupted"): 1.0 for name in ("one", "other")}
            if place.seen:
                expected |= {("other", f"handler {n}"): 1.0 for n in range(260)}
            found = read(group.folder, store)
            assert {key: value for key, value in found.items() if key[0] != CPU.name} == expected, place.seen


def test_an_exception_of_a_handler_in_the_middle_of_a_new_series_costs_that_series_alone(
    tmp_path: Path,
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    for number, place in enumerate(everywhere()):
        group = grouped(tmp_path / str(number))
        with closing(Store(lambda: None)) as store, closing(Store(lambda: None)) as alone:
            store.join(group)
            store.open()
            one, other = families()
            with suppress(KeyboardInterrupt), place.interrupted_by(interrupt):
                counted(alone, one, "lost")
                counted(store, one, "lost")
            for kept in (alone, store):
                counted(kept, other, "kept")
            assert read(group.folder, store)["other", "kept"] == 1.0, place.seen
            assert sum(alone.cells) in {1.0, 2.0}, place.seen


def test_a_count_about_obs_is_not_doubled_where_other_processes_see_it(tmp_path: Path) -> None:
    for number, place in enumerate(everywhere()):
        group = grouped(tmp_path / str(number))
        tally.reset()
        with closing(Store(lambda: None)) as store:
            store.join(group)
            store.open()
            with place.interrupted_by(lambda: tally.add("errors", "setup")):
                tally.add("errors", "setup")
            tally.add("errors", "setup")
            contents = Reader().read(group.folder, store.name)
            assert sum(
                contents.cells[at]
                for family, places in contents.blocks
                if family.definition.name == TALLY.name
                for at in places.values()
            ) == (3.0 if place.seen else 2.0), place.seen
