"""Selectors and sample series of signals whose role a team's own metric plays (`model.mapping`).

Authors of alerts and panels think in the catalogue's labels, values and units. Here a matcher such as
``=~"5.."`` becomes what the team's metric can say: a class, a list of values, or another metric.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from obs.generate.derive.gaps import gap, is_gap
from obs.generate.model import MappedLabel, MappedSignal

_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"\Z')
_BOUND = re.compile(r"[0-9.e+-]+")
_CLASS = re.compile(r"[1-9]xx\Z")
#: Stands for every value that a mapping does not list.
_OTHER = "\0other"
#: What a spec writes for "any value but the empty one".
ANY = "*"


class MetricName(str):
    """The name of a metric that plays the role of a signal, and knows it."""

    __slots__ = ("signal",)
    signal: MappedSignal

    def __new__(cls, name: str, signal: MappedSignal) -> MetricName:  # noqa: PYI034 - typing.Self is 3.11
        """Return `name` for `signal`."""
        made = super().__new__(cls, name)
        made.signal = signal
        return made

    def __add__(self, suffix: str) -> MetricName:
        return MetricName(str(self) + suffix, self.signal)


def label_of(signal: MappedSignal, name: str) -> str:
    """Return the Prometheus name of the dotted label `name`, or a stand-in when the metric lacks it."""
    found = signal.labels.get(name)
    return found.label if found else gap(f"{signal.metric} has no label for {name} of {signal.id}")


def adapted(name: MetricName, matchers: Iterable[str]) -> tuple[str, list[str]]:
    """Return metric and matchers as the team's metric understands them."""
    signal, metric = name.signal, str(name)
    chosen = [f'{label}="{value}"' for label, value in sorted(signal.match.items())]
    for matcher in matchers:
        match = _MATCHER.match(matcher)
        if match is None:
            chosen.append(matcher)
            continue
        label, operator, value = match.groups()
        if label == "le":
            chosen.append(_bound(value, operator, signal.scale))
        elif signal.bad_metric and label == label_of(signal, signal.bad_when[0]) and _is_bad(signal, matcher):
            metric = signal.bad_metric
        elif is_gap(label):
            # A label that a series lacks is an empty one to Prometheus.
            chosen += [] if _hits(operator, value)("") else [matcher]
        else:
            chosen += _translated(signal, label, operator, value)
    return metric, chosen


def samples(name: MetricName, labels: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return the series that stand for one sample series told in the catalogue's terms."""
    signal, dotted = name.signal, {own.label: key for key, own in name.signal.labels.items()}
    lacking = {label_of(signal, signal.bad_when[0])} if signal.bad_metric else set()
    plain: dict[str, str] = dict(signal.match)
    story: list[str] = []
    bad = False
    for label, value in labels.items():
        if label in lacking:
            bad = bad or _stands_for(signal.bad_when[1], value)
            story.append(value)
        elif label == "le":
            plain[label] = _scaled(value, signal.scale)
        elif label in dotted:
            plain[label] = _stand_in(signal.labels[dotted[label]], value)
        elif is_gap(label):
            story.append(value)
        else:
            plain[label] = value
    # Series that only a label told apart which the metric lacks must not fall together.
    told = {**plain, "story": "-".join(story)} if story else plain
    series = [(str(name), told)]
    return [*series, (signal.bad_metric, told)] if bad else series


def shown(metrics: Iterable[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return `labels` of an alert on series of `metrics` as the team's values read."""
    values = dict(labels)
    for metric in metrics:
        if isinstance(metric, MetricName):
            for own in metric.signal.labels.values():
                if own.label in labels:
                    values[own.label] = _stand_in(own, labels[own.label])
    return values


def _is_bad(signal: MappedSignal, matcher: str) -> bool:
    label, value = signal.bad_when
    own = label_of(signal, label)
    expected = f'{own}!=""' if value == ANY else _plain_matcher(own, value)
    return matcher == expected


def _plain_matcher(label: str, value: str) -> str:
    return f'{label}=~"{value[0]}.."' if _CLASS.match(value) else f'{label}="{value}"'


def _stands_for(pattern: str, value: str) -> bool:
    if pattern == ANY:
        return bool(value)
    if _CLASS.match(pattern):
        return len(value) == 3 and value[0] == pattern[0]
    return value == pattern


def _translated(signal: MappedSignal, label: str, operator: str, value: str) -> list[str]:
    """Return the matchers that say about the team's values what one matcher says about the catalogue's."""
    own = next((own for own in signal.labels.values() if own.label == label), None)
    if own is None or not own.values:
        return [f'{label}{operator}"{value}"']
    hits = _hits(operator, value)
    chosen: list[str] = []
    left: list[str] = []
    for known, stand_ins in own.values.items():
        verdict = {hits(one) for one in _examples(known)}
        if len(verdict) == 2:
            return [f'{gap(_cannot(signal, label, operator, value))}=""']
        (chosen if verdict.pop() else left).extend(stand_ins)
    if all(_CLASS.match(known) for known in own.values) or not hits(_OTHER):
        if not chosen:
            return [f'{gap(_cannot(signal, label, operator, value))}=""']
        return [_one_of(label, chosen, "=")] if left or not hits(_OTHER) else []
    return [_one_of(label, left, "!")] if left else []


def _cannot(signal: MappedSignal, label: str, operator: str, value: str) -> str:
    return f'the values of label {label} of {signal.metric} cannot express {operator}"{value}" of {signal.id}'


def _hits(operator: str, value: str) -> Callable[[str], bool]:
    """Return whether a label of the catalogue's matches."""
    wanted = not operator.startswith("!")
    plain = value.replace('\\"', '"').replace("\\\\", "\\")
    if operator.endswith("~"):
        pattern = re.compile(plain)
        return lambda seen: bool(pattern.fullmatch(seen)) == wanted
    return lambda seen: (seen == plain) == wanted


def _examples(known: str) -> list[str]:
    """Return what a value of a mapping stands for: itself, or every code of its class."""
    return [f"{known[0]}{rest:02}" for rest in range(100)] if _CLASS.match(known) else [known]


def _one_of(label: str, values: list[str], sign: str) -> str:
    distinct = sorted(set(values))
    if len(distinct) == 1:
        return f'{label}{"!=" if sign == "!" else "="}"{distinct[0]}"'
    text = "|".join(re.escape(value).replace("\\", "\\\\") for value in distinct)
    return f'{label}{"!~" if sign == "!" else "=~"}"{text}"'


def _stand_in(own: MappedLabel, value: str) -> str:
    for known, stand_ins in own.values.items():
        if value in _examples(known):
            return stand_ins[0]
    return value


def _bound(value: str, operator: str, scale: int) -> str:
    first = _BOUND.match(value)
    if scale == 1 or first is None:
        return f'le{operator}"{value}"'
    text = _scaled(first[0], scale)
    whole = text.removesuffix(".0")
    return f'le=~"{whole}|{whole}\\\\.0"' if "." not in whole else f'le="{whole}"'


def _scaled(bound: str, scale: int) -> str:
    if scale == 1 or bound == "+Inf":
        return bound
    text = f"{Decimal(bound) * scale:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
