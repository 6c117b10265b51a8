"""Which metrics of a page play the role of which signal: names, labels, values, units and buckets as found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from obs.catalogue import Counter, Histogram, Signal
from obs.catalogue.captured.exposition import Family
from obs.catalogue.signal import TARGET_LABELS, Label
from obs.generate.adopt import known
from obs.generate.adopt.page import Page

_CLASS = re.compile(r"[1-5]xx\Z")
_SAFE = re.compile(r'[^"\\{}$`\n]+\Z')


@dataclass(frozen=True, slots=True)
class FoundLabel:
    """What a label of a signal is called here; `values` maps the catalogue's to what stands for them."""

    name: str
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: Its values are classes of statuses, such as 5xx.
    classes: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """A metric in the role of a signal."""

    signal: Signal
    metric: str
    #: The families of the page that it takes.
    families: tuple[str, ...]
    labels: tuple[tuple[str, FoundLabel], ...] = ()
    unit: str = "s"
    buckets: tuple[float, ...] = ()
    #: Metric of the bad events, the label and the value that they have in common.
    bad: tuple[str, str, str] | None = None
    #: Values of the label `job.name`, as far as the page shows them.
    jobs: tuple[str, ...] = field(default=())


def find(page: Page, signals: Sequence[Signal]) -> list[Role]:
    """Return the roles that the metrics of a page can play, each metric in one role, ordered by signal."""
    found: dict[str, Role] = {}
    taken: set[str] = set()
    for signal in sorted(signals, key=lambda one: (isinstance(one, Counter), one.id)):
        for name in _names(signal):
            family = page.families.get(name)
            if family is None or name in taken or not _fits(signal, family):
                continue
            role = _role(page, signal, family)
            taken.update(role.families)
            found[signal.id] = role
            break
        else:
            counted = _counted(page, signal, found)
            if counted is not None:
                found[signal.id] = counted
    return [found[id_] for id_ in sorted(found)]


def _names(signal: Signal) -> Iterator[str]:
    yield from dict.fromkeys(
        (signal.named("otel"), signal.named("classic"), *known.METRICS.get(signal.id, ()))
    )


def _fits(signal: Signal, family: Family) -> bool:
    if isinstance(signal, Histogram):
        return family.type == "histogram" and bool(family.buckets) and family.buckets[0] > 0
    return family.type in {signal.kind, "untyped", "unknown"}


def _role(page: Page, signal: Signal, family: Family) -> Role:
    labels = _labels(page, signal, family, family.name)
    bad = None
    families = [family.name]
    names, (label, value) = known.BAD.get(signal.id, ((), ("", "")))
    if names and label not in dict(labels):
        metric = next((name for name in names if name in page.families), None)
        if metric is not None:
            bad = (metric, label, value)
            families.append(metric)
    job = dict(labels).get("job.name")
    return Role(
        signal=signal,
        metric=family.name,
        families=tuple(families),
        labels=labels,
        unit=next((unit for end, unit in known.UNITS.items() if family.name.endswith(end)), "s"),
        buckets=family.buckets if isinstance(signal, Histogram) else (),
        bad=bad,
        jobs=page.values_of(family.name, _on_page(job.name)) if job else (),
    )


def _counted(page: Page, signal: Signal, found: dict[str, Role]) -> Role | None:
    """Return the count of a histogram as the counter of its events."""
    timed = found.get(signal.counted_by) if isinstance(signal, Counter) else None
    if timed is None:
        return None
    family = page.families[timed.families[0]]
    return Role(signal, f"{timed.metric}_count", (), _labels(page, signal, family, timed.metric))


def _labels(page: Page, signal: Signal, family: Family, series: str) -> tuple[tuple[str, FoundLabel], ...]:
    found: dict[str, FoundLabel] = {}
    taken: set[str] = set()
    for label in signal.labels:
        names = dict.fromkeys(
            (label.named("otel"), label.named("classic"), *known.LABELS.get(label.name, ()))
        )
        name = next((one for one in names if one in family.labels and one not in taken), None)
        if name is not None:
            taken.add(name)
            found[label.name] = _label(label, name, page.values_of(series, name))
    return tuple(sorted(found.items()))


def _label(label: Label, name: str, values: Sequence[str]) -> FoundLabel:
    # What the service itself calls service or job is stored under another name, for these are the target's.
    stored = f"exported_{name}" if name in TARGET_LABELS else name
    if values and all(_CLASS.match(value.lower()) for value in values):
        plain = all(_CLASS.match(value) for value in values)
        return FoundLabel(stored, _same(("2xx", "3xx", "4xx", "5xx"), values), classes=plain)
    return FoundLabel(stored, _same(label.values, values))


def _same(legal: Sequence[str], values: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what stands for each legal value, when anything is written in another way."""
    found: dict[str, list[str]] = {}
    for value in sorted(values):
        meant = next(
            (one for one in legal if _plain(value) in {_plain(one), *known.VALUES.get(one, ())}), None
        )
        if meant is not None and _SAFE.match(value):
            found.setdefault(meant, []).append(value)
    if all(names == [one] for one, names in found.items()):
        return ()
    # A page tells only of what has happened: nothing may have failed yet.
    unseen = {one: [*known.VALUES[one], one] for one in legal if one in known.VALUES and one not in found}
    found |= unseen
    return tuple((one, tuple(names)) for one, names in sorted(found.items()))


def _on_page(stored: str) -> str:
    name = stored.removeprefix("exported_")
    return name if name in TARGET_LABELS else stored


def _plain(value: str) -> str:
    return re.sub(r"[^a-z0-9]", "", value.lower())
