"""`mapping:` of a spec: which of a team's own metrics play the roles of the catalogue's signals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from obs.catalogue import Counter, Histogram, Registry, Signal
from obs.catalogue.signal import TARGET_LABELS, Label
from obs.errors import SpecError, suggest
from obs.generate.model import LatencySli, MappedLabel, MappedSignal, Slo
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.signals import BAD, MAPPED, MAPPED_LABEL, SCALES

_CLASS = re.compile(r"[1-9]xx\Z")
_ANY = "*"
#: What `values: class` stands for.
_CLASSES: Mapping[str, tuple[str, ...]] = {f"{digit}xx": (f"{digit}xx",) for digit in range(1, 6)}
_SUFFIXES = ("_bucket", "_count", "_sum")


def read(node: Node, signals: Registry) -> dict[str, MappedSignal]:
    """Return the mapped signals by id; `signals` are those of the contract."""
    return {
        key: _signal(key, entry, signals) for key, entry in sorted(fields.mapping(node, "mapping").items())
    }


def narrowed(
    signals: Registry, mapping: Mapping[str, MappedSignal], node: Node | None, *, closed: bool
) -> Registry:
    """Return the signals as the team's metrics have them: fewer labels, other buckets.

    With `closed`, only what is mapped and what every scrape brings exists.
    """
    if not mapping and not closed:
        return signals
    entries = fields.mapping(node, "mapping") if node else {}
    kept = []
    for signal in signals:
        if signal.id in mapping:
            kept.append(_narrow(signal, mapping[signal.id], entries[signal.id].node))
        elif not closed or signal.origin == "target":
            kept.append(signal)
    return Registry(kept)


def check_objectives(slos: Sequence[Slo], mapping: Mapping[str, MappedSignal]) -> None:
    """Raise `SpecError` for an objective on a native histogram that measures in another unit than seconds."""
    for slo in slos:
        sli = slo.sli
        if isinstance(sli, LatencySli) and sli.buckets == "native":
            mapped = mapping.get(sli.signal)
            if mapped is not None and mapped.scale != 1:
                raise SpecError(
                    f"slos.{slo.name}.sli.latency: {mapped.metric} is no native histogram in seconds",
                    str(slo.place),
                    f"only classic buckets can be read in another unit (mapping.{mapped.id}.unit)",
                )


def _signal(key: str, entry: Entry, signals: Registry) -> MappedSignal:
    what = f"mapping.{key}"
    if key not in signals:
        hint = suggest(key, [signal.id for signal in signals])
        raise fields.refuse(entry, f"mapping: unknown signal {key!r}", hint)
    signal = signals.find(key)
    own = fields.mapping(entry.node, what, MAPPED.names)
    metric_node = fields.required(own, "metric", entry.node, what)
    metric = fields.metric_name(metric_node, f"{what}.metric")
    if isinstance(signal, Histogram):
        _check_histogram(own, metric, metric_node, entry.node, what)
    elif "unit" in own or "buckets" in own:
        odd = next(name for name in ("unit", "buckets") if name in own)
        raise fields.refuse(own[odd], f"{what}.{odd}: {key} is a {signal.kind}, only histograms have one")
    labels = _labels(own["labels"].node, f"{what}.labels", signal) if "labels" in own else {}
    bad_metric, bad_when = _bad(own["bad"].node, f"{what}.bad", signal) if "bad" in own else ("", ("", ""))
    if bad_when[0] in labels:
        raise fields.refuse(
            own["bad"],
            f"{what}.bad: label {bad_when[0]!r} of {metric} says already which events are bad",
            f"leave out one of the two: bad, or {bad_when[0]} under labels",
        )
    return MappedSignal(
        id=key,
        metric=metric,
        labels=labels,
        match=_match(own["match"].node, f"{what}.match") if "match" in own else {},
        place=entry.key,
        bad_metric=bad_metric,
        bad_when=bad_when,
        scale=SCALES[fields.choice(own["unit"].node, f"{what}.unit", SCALES)] if "unit" in own else 1,
    )


def _check_histogram(own: Mapping[str, Entry], metric: str, node: Node, owner: Node, what: str) -> None:
    for suffix in _SUFFIXES:
        if metric.endswith(suffix):
            base = metric.removesuffix(suffix)
            raise fields.refuse(node, f"{what}.metric: got {metric!r}, expected it without {suffix}", base)
    if "buckets" not in own:
        raise fields.refuse(
            owner,
            f"{what} needs 'buckets'",
            "the values of le that the service writes, without +Inf, in the metric's own unit",
        )


def _labels(node: Node, what: str, signal: Signal) -> dict[str, MappedLabel]:
    found = {}
    for key, entry in sorted(fields.mapping(node, what).items()):
        label = signal.label(key)
        if label is None:
            names = [known.name for known in signal.labels]
            hint = suggest(key, names) or f"its labels: {', '.join(names) or 'none'}"
            raise fields.refuse(entry, f"{what}: {signal.id} has no label {key!r}", hint)
        found[key] = _label(entry.node, f"{what}.{key}", label)
    return found


def _label(node: Node, what: str, label: Label) -> MappedLabel:
    if isinstance(node.value, str):
        return MappedLabel(_label_name(node, what))
    own = fields.mapping(node, what, MAPPED_LABEL.names)
    name = _label_name(fields.required(own, "label", node, what), f"{what}.label")
    if "values" not in own:
        return MappedLabel(name)
    values = own["values"].node
    if isinstance(values.value, str):
        fields.choice(values, f"{what}.values", ("class",))
        return MappedLabel(name, _CLASSES)
    chosen = {}
    for key, entry in sorted(fields.mapping(values, f"{what}.values").items()):
        if label.values and key not in label.values and not _CLASS.match(key):
            hint = suggest(key, label.values) or f"its values: {', '.join(label.values)}"
            raise fields.refuse(entry, f"{what}.values: label {label.name!r} is never {key!r}", hint)
        chosen[key] = _values(entry.node, f"{what}.values.{key}")
    return MappedLabel(name, chosen)


def _values(node: Node, what: str) -> tuple[str, ...]:
    items = fields.texts(node, what) if isinstance(node.value, tuple) else (node,)
    if not items:
        raise fields.refuse(node, f"{what}: got an empty list, expected the values that stand for it")
    return tuple(_plain(item, what) for item in items)


def _label_name(node: Node, what: str) -> str:
    name = fields.label_name(node, what)
    if name in TARGET_LABELS:
        raise fields.refuse(
            node,
            f"{what}: label {name!r} belongs to the target",
            f"what the metric itself calls {name} is stored as exported_{name}",
        )
    if name in {"le", "quantile"}:
        raise fields.refuse(node, f"{what}: label {name!r} is reserved by Prometheus")
    return name


def _match(node: Node, what: str) -> dict[str, str]:
    found = {}
    for key, entry in sorted(fields.mapping(node, what).items()):
        name = _label_name(Node(entry.key, key), what)
        found[name] = _plain(entry.node, f"{what}.{key}")
    return found


def _plain(node: Node, what: str) -> str:
    value = fields.text(node, what)
    if re.search(r'["\\{}$`]', value):
        raise fields.refuse(node, f'{what}: got {value!r}, expected a value without any of " \\ {{ }} $ `')
    return value


def _bad(node: Node, what: str, signal: Signal) -> tuple[str, tuple[str, str]]:
    if not isinstance(signal, Counter):
        raise fields.refuse(node, f"{what}: {signal.id} is a {signal.kind}, only counters count bad events")
    own = fields.mapping(node, what, BAD.names)
    metric = fields.metric_name(fields.required(own, "metric", node, what), f"{what}.metric")
    when_node = fields.required(own, "when", node, what)
    when = fields.mapping(when_node, f"{what}.when", [label.name for label in signal.labels])
    if len(when) != 1:
        raise fields.refuse(when_node, f"{what}.when: got {len(when)} labels, expected one")
    ((label, entry),) = when.items()
    value = fields.text(entry.node, f"{what}.when.{label}")
    if value != _ANY and not _CLASS.match(value):
        _plain(entry.node, f"{what}.when.{label}")
    return metric, (label, value)


def _narrow(signal: Signal, mapped: MappedSignal, node: Node) -> Signal:
    """Return what the contract knows of the mapped signal; its name is the mapping's, and unused here."""
    known = [*mapped.labels, mapped.bad_when[0]]
    name = "mapped_" + signal.id.replace(".", "_")
    changes: dict[str, object] = {
        "labels": tuple(label for label in signal.labels if label.name in known),
        "metric": f"{name}_total" if isinstance(signal, Counter) else name,
        "classic": "",
    }
    if isinstance(signal, Counter):
        changes["counted_by"] = ""
    if isinstance(signal, Histogram):
        changes["buckets"] = _buckets(
            cast("Mapping[str, Entry]", node.value)["buckets"].node,
            f"mapping.{signal.id}.buckets",
            mapped.scale,
        )
    return replace(signal, **changes)  # type: ignore[arg-type]  # fields of three kinds of signal


def _buckets(node: Node, what: str, scale: int) -> tuple[float, ...]:
    bounds = [fields.number(item, what) for item in fields.texts(node, what)]
    if not bounds or bounds != sorted(set(bounds)) or bounds[0] <= 0:
        raise fields.refuse(node, f"{what}: expected bounds above zero that ascend and do not repeat")
    return tuple(float(bound / Decimal(scale)) for bound in bounds)
