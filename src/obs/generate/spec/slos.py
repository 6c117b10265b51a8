"""`slos:` of a spec: what is promised, over which period, for which sets of labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from obs.catalogue import Registry
from obs.errors import SpecError
from obs.generate.model import (
    DEFAULT_MAX_GROUPS,
    CustomSli,
    Duration,
    FreshnessSli,
    LabelValues,
    RatioSli,
    Sli,
    Slo,
)
from obs.generate.spec import fields, slis
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.objectives import DEFAULT_MIN_BAD_EVENTS, HIGHEST, MOST_GROUPS, MOST_LABELS, SLO

DEFAULT_WINDOW = Duration.parse("30d")
#: Of stale minutes, more than these before anybody hears of it would be a bound of its own.
_MOST_MINUTES = 30
_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\Z")
#: Every recorded series has these already.
_TAKEN = ("service", "environment")


def read(node: Node, signals: Registry) -> tuple[Slo, ...]:
    """Read all objectives, ordered by name."""
    entries = fields.mapping(node, "slos")
    return tuple(_slo(key, entry, signals) for key, entry in sorted(entries.items()))


def _slo(key: str, entry: Entry, signals: Registry) -> Slo:
    what = f"slos.{key}"
    name = fields.key_name(key, entry, what)
    own = fields.mapping(entry.node, what, SLO.names)
    objective_node = fields.required(own, "objective", entry.node, what)
    objective = _objective(objective_node, f"{what}.objective")
    window, floor, exclude = (own.get(part) for part in ("window", "min_bad_events", "exclude"))
    period = _window(window.node, f"{what}.window") if window else DEFAULT_WINDOW
    # Last, because every check of it stands alone: `obs spec check` tells the mistakes before it first.
    sli = slis.read(fields.required(own, "sli", entry.node, what), f"{what}.sli", signals)
    return Slo(
        name=name,
        objective=objective,
        window=period,
        sli=sli,
        min_bad_events=_floor(floor.node, f"{what}.min_bad_events", sli) if floor else DEFAULT_MIN_BAD_EVENTS,
        place=objective_node.place,
        by=_by(own["by"].node, f"{what}.by", sli, signals) if "by" in own else (),
        max_groups=_max_groups(own, what),
        exclusions=_exclusions(exclude.node, f"{what}.exclude", sli, signals) if exclude else (),
    )


def _objective(node: Node, what: str) -> Decimal:
    objective = fields.number(node, what, "percent")
    if not 0 < objective < 100:
        raise fields.refuse(node, f"{what}: got {objective}, expected a percentage between 0 and 100")
    if objective <= 1:
        raise fields.refuse(
            node,
            f"{what}: got {objective}, expected a percentage such as 99.9",
            f"did you mean {(objective * 100).normalize():f}?",
        )
    if objective > HIGHEST:
        raise fields.refuse(node, f"{what}: got {objective}, expected at most {HIGHEST}")
    return objective


def _window(node: Node, what: str) -> Duration:
    window = fields.duration(node, what)
    if not Duration.parse("7d") <= window <= Duration.parse("90d") or window.milliseconds % 86_400_000:
        raise fields.refuse(node, f"{what}: got {window}, expected whole days from 7d to 90d")
    return window


def _floor(node: Node, what: str, sli: Sli) -> int:
    floor = fields.integer(node, what, 1, 1_000_000)
    if isinstance(sli, FreshnessSli) and floor > _MOST_MINUTES:
        raise fields.refuse(
            node, f"{what}: got {floor}, expected at most {_MOST_MINUTES}, for every event is a minute"
        )
    return floor


def _by(node: Node, what: str, sli: Sli, signals: Registry) -> tuple[str, ...]:
    items = fields.texts(node, what)
    if not 1 <= len(items) <= MOST_LABELS:
        raise fields.refuse(node, f"{what}: expected 1 to {MOST_LABELS} labels")
    events = slis.events_of(sli, signals)
    names: list[str] = []
    for item in items:
        name = fields.text(item, what)
        if events is not None:
            slis.label(item, name, events, what)
            if isinstance(sli, RatioSli) and name in {one.label for one in sli.bad}:
                raise fields.refuse(
                    item,
                    f"{what}: {name!r} tells bad events from good ones, so every budget would be spent or whole",
                )
        elif not _LABEL.match(name):
            raise fields.refuse(item, f"{what}: {name!r} is no label name")
        if name in _TAKEN or name in names:
            raise fields.refuse(item, f"{what}: every budget has its own {name!r} anyway")
        names.append(name)
    return tuple(names)


def _max_groups(own: Mapping[str, Entry], what: str) -> int:
    entry = own.get("max_groups")
    if entry is None:
        return DEFAULT_MAX_GROUPS
    if "by" not in own:
        raise fields.refuse(entry, f"{what}.max_groups: there is one budget only", "add by: [LABEL]")
    return fields.integer(entry.node, f"{what}.max_groups", 1, MOST_GROUPS)


def _exclusions(node: Node, what: str, sli: Sli, signals: Registry) -> tuple[LabelValues, ...]:
    events = slis.events_of(sli, signals)
    if events is None or isinstance(sli, CustomSli | FreshnessSli):
        kind = "its PromQL" if events is None else "its where"
        raise fields.refuse(node, f"{what}: this SLI says in {kind} what counts")
    excluded = slis.label_values(node, what, events)
    if isinstance(sli, RatioSli) and _covers(excluded, sli):
        raise _nothing_left(node, what)
    return excluded


def _covers(excluded: tuple[LabelValues, ...], sli: RatioSli) -> bool:
    """Tell whether no bad event would be left."""
    without = {one.label: set(one.values) for one in excluded}
    return any(
        all(
            value in without.get(bad.label, ()) or f"{value[:1]}xx" in without.get(bad.label, ())
            for value in bad.values
        )
        for bad in sli.bad
    )


def _nothing_left(node: Node, what: str) -> SpecError:
    return fields.refuse(node, f"{what}: every bad event would be excluded, so the budget could never burn")
