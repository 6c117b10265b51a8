"""`slos:` of a spec, checked against the contract: the signal, its kind, the label, the bound."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from obs.catalogue import Counter, Histogram, Label, Registry, Signal
from obs.errors import UnknownSignal, suggest
from obs.generate.model import Duration, LatencySli, RatioSli, Slo
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node

DEFAULT_WINDOW = Duration.parse("30d")
#: One failed request must not page anybody, three are no accident.
DEFAULT_MIN_BAD_EVENTS = 3
#: A budget below one in a million would need a year of a busy service to be measured.
_HIGHEST = Decimal("99.9999")
_CLASS = re.compile(r"[1-9]xx\Z")


def read(node: Node, signals: Registry) -> tuple[Slo, ...]:
    """Read all objectives, ordered by name."""
    entries = fields.mapping(node, "slos")
    return tuple(_slo(key, entry, signals) for key, entry in sorted(entries.items()))


def _slo(key: str, entry: Entry, signals: Registry) -> Slo:
    what = f"slos.{key}"
    name = fields.key_name(key, entry, what)
    own = fields.mapping(entry.node, what, ("objective", "window", "sli", "min_bad_events"))
    objective_node = fields.required(own, "objective", entry.node, what)
    objective = fields.number(objective_node, f"{what}.objective", "percent")
    if not 0 < objective < 100:
        raise fields.refuse(
            objective_node, f"{what}.objective: got {objective}, expected a percentage between 0 and 100"
        )
    if objective <= 1:
        raise fields.refuse(
            objective_node,
            f"{what}.objective: got {objective}, expected a percentage such as 99.9",
            f"did you mean {(objective * 100).normalize():f}?",
        )
    if objective > _HIGHEST:
        raise fields.refuse(objective_node, f"{what}.objective: got {objective}, expected at most {_HIGHEST}")
    window = own.get("window")
    floor = own.get("min_bad_events")
    return Slo(
        name=name,
        objective=objective,
        window=_window(window.node, f"{what}.window") if window else DEFAULT_WINDOW,
        sli=_sli(fields.required(own, "sli", entry.node, what), f"{what}.sli", signals),
        min_bad_events=(
            fields.integer(floor.node, f"{what}.min_bad_events", 1, 1_000_000)
            if floor
            else DEFAULT_MIN_BAD_EVENTS
        ),
        place=objective_node.place,
    )


def _window(node: Node, what: str) -> Duration:
    window = fields.duration(node, what)
    if not Duration.parse("7d") <= window <= Duration.parse("90d") or window.milliseconds % 86_400_000:
        raise fields.refuse(node, f"{what}: got {window}, expected whole days from 7d to 90d")
    return window


def _sli(node: Node, what: str, signals: Registry) -> RatioSli | LatencySli:
    entries = fields.mapping(node, what, ("ratio", "latency"))
    if len(entries) != 1:
        raise fields.refuse(node, f"{what} needs exactly one of 'ratio' and 'latency'")
    kind, entry = next(iter(entries.items()))
    return (_ratio if kind == "ratio" else _latency)(entry.node, f"{what}.{kind}", signals)


def _ratio(node: Node, what: str, signals: Registry) -> RatioSli:
    own = fields.mapping(node, what, ("total", "bad"))
    total_node = fields.required(own, "total", node, what)
    total = _signal(total_node, f"{what}.total", signals)
    if not isinstance(total, Counter):
        raise fields.refuse(
            total_node,
            f"{what}.total: {total.id} is a {total.kind}, expected a counter",
            _kin(total, signals),
        )
    bad_node = fields.required(own, "bad", node, what)
    bad = fields.mapping(bad_node, f"{what}.bad")
    if not bad:
        raise fields.refuse(bad_node, f"{what}.bad needs a label that tells bad events from good ones")
    return RatioSli(total.id, tuple(_bad(key, entry, total, what) for key, entry in sorted(bad.items())))


def _bad(key: str, entry: Entry, total: Signal, what: str) -> tuple[str, str]:
    label = total.label(key)
    if label is None:
        names = [known.name for known in total.labels]
        hint = suggest(key, names) or f"its labels: {', '.join(names)}"
        raise fields.refuse(entry, f"{what}.bad: {total.id} has no label {key!r}", hint)
    value = fields.text(entry.node, f"{what}.bad.{key}")
    if label.values and value not in label.values and not _CLASS.match(value):
        hint = suggest(value, label.values) or f"its values: {', '.join(label.values)}"
        raise fields.refuse(entry.node, f"{what}.bad: label {key!r} is never {value!r}", hint)
    _check_value(label, value, entry.node)
    return key, value


def _check_value(label: Label, value: str, node: Node) -> None:
    if not _CLASS.match(value) and _CLASS.match(value.lower()):
        raise fields.refuse(
            node,
            f"label {label.name!r}: got {value!r}, expected a class such as 5xx",
            f"did you mean {value.lower()!r}?",
        )
    if re.search(r"[^\w .:/-]", value):
        raise fields.refuse(
            node, f"label {label.name!r}: got {value!r}, expected one value or a class such as 5xx"
        )


def _latency(node: Node, what: str, signals: Registry) -> LatencySli:
    own: Mapping[str, Entry] = fields.mapping(node, what, ("signal", "under"))
    signal_node = fields.required(own, "signal", node, what)
    signal = _signal(signal_node, f"{what}.signal", signals)
    if not isinstance(signal, Histogram):
        raise fields.refuse(
            signal_node, f"{what}.signal: {signal.id} is a {signal.kind}, expected a histogram"
        )
    under_node = fields.required(own, "under", node, what)
    under = fields.duration(under_node, f"{what}.under")
    if float(under.seconds) not in signal.buckets:
        bounds = ", ".join(f"{bound:g}" for bound in signal.buckets)
        closest = min(signal.buckets, key=lambda bound: abs(bound - float(under.seconds)))
        raise fields.refuse(
            under_node,
            f"{what}.under: {under} is no bucket bound of {signal.id}, expected one of {bounds} (seconds)",
            f"the closest bound is {Duration(round(closest * 1000))}",
        )
    return LatencySli(signal.id, under)


def _signal(node: Node, what: str, signals: Registry) -> Signal:
    try:
        return signals.find(fields.text(node, what))
    except UnknownSignal as error:
        raise fields.refuse(node, f"{what}: {error.message}", error.hint) from None


def _kin(signal: Signal, signals: Registry) -> str | None:
    counters = [s.id for s in signals if isinstance(s, Counter) and s.counted_by == signal.id]
    return f"did you mean {counters[0]!r}?" if counters else None
