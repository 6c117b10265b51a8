"""Keep a group small: what dead processes have counted becomes one file.

Readers hold the group's lock shared while this holds it exclusively, so nobody sees a process twice
or not at all. A kill in the middle changes nothing: the new file replaces the old one in one step and
names those whose numbers it has, should theirs still lie beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from obs.runtime.metrics import exact, retained
from obs.runtime.metrics.family import HEAD, Definition, Exemplar, Values
from obs.runtime.metrics.files import remove
from obs.runtime.metrics.group import Group
from obs.runtime.metrics.plan import Plan, Source
from obs.runtime.metrics.reader import Reader
from obs.runtime.metrics.retained import RetainedReader, Series


def compact(group: Group, *, at_least: int) -> None:
    """Add up the files of dead processes when there are `at_least` so many and nobody is reading."""
    if len(group.names()) < at_least or len(_dead(group, group.names())) < at_least:
        return
    with group.locked(exclusive=True) as alone:
        if not alone:
            return
        folder, reader = group.folder, Reader()
        before = RetainedReader(reader).read(folder)
        for name in before.absorbed:
            remove(folder, name)
        dead = _dead(group, group.names())
        every = [before.contents, *(reader.read(folder, name) for name in dead)]
        retained.write(folder, dead, added_up([Source(contents, alive=False) for contents in every]))
        for name in dead:
            remove(folder, name)


def _dead(group: Group, names: Iterable[str]) -> list[str]:
    return [name for name in names if not group.is_alive(name)]


def added_up(sources: Sequence[Source]) -> Iterator[tuple[Definition, Mapping[Values, Series]]]:
    """Return every metric with its series, of which there are no more than one process may have.

    What is kept of the dead must not grow with each of them.
    """
    plan = Plan(sources)
    cells, exemplars = plan.add_up(sources)
    lacks = plan.lacks(sources)
    for merged in plan.metrics:
        definition, width = merged.family.definition, merged.family.width
        kept: dict[Values, Series] = {}
        for values, at in merged.places():
            numbers = cells[at : at + width]
            marks = {n: mark for n in range(width) if (mark := exemplars.get(at + n)) is not None}
            series = Series(numbers, lacks.get(at, ()), marks)
            fitted = values
            if definition.open and len(kept) >= definition.cap:
                fitted = definition.overflowed(values)
            before = kept.get(fitted)
            kept[fitted] = series if before is None else _joined(definition, before, series)
        yield definition, kept


def _joined(definition: Definition, one: Series, other: Series) -> Series:
    """Return two series of the dead as one."""
    if definition.kind == "gauge":
        # Only the latest one is kept of the dead.
        return other if other.numbers[1] >= one.numbers[1] else one
    total, *lacks = exact.parts([one.numbers[0], *one.lacks, other.numbers[0], *other.lacks])
    born = min(filter(None, (one.numbers[1], other.numbers[1])), default=0.0)
    buckets = map(sum, zip(one.numbers[HEAD:], other.numbers[HEAD:], strict=True))
    return Series((total, born, *buckets), lacks, _latest(one.exemplars, other.exemplars))


def _latest(one: Mapping[int, Exemplar], other: Mapping[int, Exemplar]) -> dict[int, Exemplar]:
    later = {at: mark for at, mark in other.items() if at not in one or one[at].at < mark.at}
    return {**one, **later}
