"""`sli:` of an objective, checked against the contract: the signal, its kind, the labels, the bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from obs.catalogue import Counter, Gauge, Histogram, Label, Registry, Signal
from obs.errors import UnknownSignal, suggest
from obs.generate.model import (
    WINDOW_HOLE,
    CustomSli,
    Duration,
    FreshnessSli,
    LabelValues,
    LatencySli,
    RatioSli,
    Sli,
)
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.objectives import BUCKETS, CUSTOM, FRESHNESS, LATENCY, RATIO, SERIES

_CLASS = re.compile(r"[1-9]xx\Z")
#: Freshness is judged once a minute.
_LEAST_AGE = Duration.parse("1m")


def read(node: Node, what: str, signals: Registry) -> Sli:
    """Read what an objective is measured by; raise `SpecError` at what the contract does not declare."""
    entries = fields.mapping(node, what, _KINDS)
    if len(entries) != 1:
        kinds = ", ".join(map(repr, _KINDS))
        raise fields.refuse(node, f"{what} needs exactly one of {kinds}")
    kind, entry = next(iter(entries.items()))
    return _KINDS[kind](entry.node, f"{what}.{kind}", signals)


def events_of(sli: Sli, signals: Registry) -> Signal | None:
    """Return the signal whose series are the events of `sli`, or None for PromQL of the author's own."""
    if isinstance(sli, CustomSli):
        return None
    return signals.find(sli.total if isinstance(sli, RatioSli) else sli.signal)


def label_values(node: Node, what: str, signal: Signal) -> tuple[LabelValues, ...]:
    """Read a mapping of labels of `signal` to a value, or to a list of values, ordered by label."""
    entries = fields.mapping(node, what)
    if not entries:
        raise fields.refuse(node, f"{what} needs a label of {signal.id} with its values")
    return tuple(_values(key, entry, signal, what) for key, entry in sorted(entries.items()))


def label(node: Node | Entry, name: str, signal: Signal, what: str) -> Label:
    """Return the label `name` of `signal`; an unknown one is an error at `node`."""
    found = signal.label(name)
    if found is None:
        names = [known.name for known in signal.labels]
        hint = suggest(name, names) or (f"its labels: {', '.join(names)}" if names else "it has no labels")
        raise fields.refuse(node, f"{what}: {signal.id} has no label {name!r}", hint)
    return found


def _ratio(node: Node, what: str, signals: Registry) -> RatioSli:
    own = fields.mapping(node, what, RATIO.names)
    total_node = fields.required(own, "total", node, what)
    total = _signal(total_node, f"{what}.total", signals)
    if not isinstance(total, Counter):
        raise fields.refuse(
            total_node,
            f"{what}.total: {total.id} is a {total.kind}, expected a counter",
            _kin(total, signals),
        )
    bad_node = fields.required(own, "bad", node, what)
    if isinstance(bad_node.value, Mapping) and not bad_node.value:
        raise fields.refuse(bad_node, f"{what}.bad needs a label that tells bad events from good ones")
    return RatioSli(total.id, label_values(bad_node, f"{what}.bad", total))


def _latency(node: Node, what: str, signals: Registry) -> LatencySli:
    own = fields.mapping(node, what, LATENCY.names)
    signal_node = fields.required(own, "signal", node, what)
    signal = _signal(signal_node, f"{what}.signal", signals)
    if not isinstance(signal, Histogram):
        raise fields.refuse(
            signal_node, f"{what}.signal: {signal.id} is a {signal.kind}, expected a histogram"
        )
    under_node = fields.required(own, "under", node, what)
    under = fields.duration(under_node, f"{what}.under")
    if "buckets" in own and fields.choice(own["buckets"].node, f"{what}.buckets", BUCKETS) == "native":
        return LatencySli(signal.id, under, "native")
    if float(under.seconds) not in signal.buckets:
        bounds = ", ".join(f"{bound:g}" for bound in signal.buckets)
        closest = min(signal.buckets, key=lambda bound: abs(bound - float(under.seconds)))
        raise fields.refuse(
            under_node,
            f"{what}.under: {under} is no bucket bound of {signal.id}, expected one of {bounds} (seconds)",
            f"the closest bound is {Duration(round(closest * 1000))}",
        )
    return LatencySli(signal.id, under)


def _freshness(node: Node, what: str, signals: Registry) -> FreshnessSli:
    own = fields.mapping(node, what, FRESHNESS.names)
    signal_node = fields.required(own, "signal", node, what)
    signal = _signal(signal_node, f"{what}.signal", signals)
    if not isinstance(signal, Gauge) or signal.unit != "s":
        raise fields.refuse(
            signal_node,
            f"{what}.signal: {signal.id} is a {signal.kind} in {signal.unit!r}, expected a gauge that holds a "
            "time in seconds since 1970",
        )
    under_node = fields.required(own, "under", node, what)
    under = fields.duration(under_node, f"{what}.under")
    if under < _LEAST_AGE:
        raise fields.refuse(
            under_node,
            f"{what}.under: got {under}, expected at least {_LEAST_AGE}, for each minute is judged",
        )
    where = own.get("where")
    return FreshnessSli(
        signal.id, under, label_values(where.node, f"{what}.where", signal) if where is not None else ()
    )


def _custom(node: Node, what: str, _signals: Registry) -> CustomSli:
    own = fields.mapping(node, what, CUSTOM.names)
    bad_node, total_node, series_node = (
        fields.required(own, key, node, what) for key in ("bad", "total", "series")
    )
    bad, total = _promql(bad_node, f"{what}.bad"), _promql(total_node, f"{what}.total")
    if bad == total:
        raise fields.refuse(bad_node, f"{what}.bad is the same as {what}.total: every event would be bad")
    series = fields.mapping(series_node, f"{what}.series", ("good", "bad"))
    good_series, bad_series = (
        _series(fields.required(series, key, series_node, f"{what}.series"), f"{what}.series.{key}")
        for key in ("good", "bad")
    )
    return CustomSli(bad, total, good_series, bad_series, bad_node.place, total_node.place)


_KINDS: Mapping[str, Callable[[Node, str, Registry], Sli]] = {
    "ratio": _ratio,
    "latency": _latency,
    "freshness": _freshness,
    "custom": _custom,
}


def _promql(node: Node, what: str) -> str:
    if not isinstance(node.value, str) or not node.value.strip():
        raise fields.refuse(node, f"{what}: expected PromQL that counts events")
    text = " ".join(node.value.split())
    if WINDOW_HOLE not in text:
        raise fields.refuse(
            node,
            f"{what}: there is no {WINDOW_HOLE} in it, the range that the events are counted over",
            f"for example sum by (service, environment) (increase(x_total[{WINDOW_HOLE}]))",
        )
    return text


def _series(node: Node, what: str) -> tuple[str, ...]:
    items = node.value if isinstance(node.value, tuple) else (node,)
    found = tuple(fields.text(item, what) for item in items)
    for item, text in zip(items, found, strict=True):
        if not SERIES.match(text):
            raise fields.refuse(
                item,
                f'{what}: {text!r} is no series, expected a metric and labels such as x_total{{result="ok"}}',
            )
    if not found:
        raise fields.refuse(node, f'{what} needs a series, such as x_total{{result="ok"}}')
    return found


def _values(key: str, entry: Entry, signal: Signal, what: str) -> LabelValues:
    known = label(entry, key, signal, what)
    items = entry.node.value if isinstance(entry.node.value, tuple) else (entry.node,)
    values = tuple(_value(item, known, what) for item in items)
    if not values or len(set(values)) < len(values):
        raise fields.refuse(entry.node, f"{what}.{key}: expected a value, or a list of different values")
    return LabelValues(key, tuple(sorted(values)))


def _value(node: Node, known: Label, what: str) -> str:
    value = fields.text(node, f"{what}.{known.name}")
    if known.values and value not in known.values and not _CLASS.match(value):
        hint = suggest(value, known.values) or f"its values: {', '.join(known.values)}"
        raise fields.refuse(node, f"{what}: label {known.name!r} is never {value!r}", hint)
    if not _CLASS.match(value) and _CLASS.match(value.lower()):
        raise fields.refuse(
            node,
            f"label {known.name!r}: got {value!r}, expected a class such as 5xx",
            f"did you mean {value.lower()!r}?",
        )
    if re.search(r"[^\w .:/{}-]", value):
        raise fields.refuse(
            node, f"label {known.name!r}: got {value!r}, expected one value or a class such as 5xx"
        )
    return value


def _signal(node: Node, what: str, signals: Registry) -> Signal:
    try:
        return signals.find(fields.text(node, what))
    except UnknownSignal as error:
        raise fields.refuse(node, f"{what}: {error.message}", error.hint) from None


def _kin(signal: Signal, signals: Registry) -> str | None:
    counters = [s.id for s in signals if isinstance(s, Counter) and s.counted_by == signal.id]
    return f"did you mean {counters[0]!r}?" if counters else None
