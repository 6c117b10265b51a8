"""Series that a query counts, and series that it does not: what generated tests feed into it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from obs.generate.derive.promql.syntax import Matcher, Selector

#: Tells series apart that would be one otherwise.
_MARK = "event"
#: Values that are tried for a label, the likeliest first.
_COMMON = (
    "200",
    "500",
    "404",
    "301",
    "ok",
    "error",
    "success",
    "failure",
    "GET",
    "POST",
    "/",
    "x",
    "0",
    "1",
    "other",
)
_SAFE = re.compile(r'[^"\\{}$`\n]*\Z')

Series = Mapping[str, str]


def tell_apart(counted: Sequence[Selector], chosen: Sequence[Selector]) -> tuple[list[str], list[str]] | None:
    """Return the series of events that `chosen` selects among those `counted`, and those of the others.

    None when no such series can be thought of.
    """
    inside: list[tuple[str, Series]] = []
    for selector in chosen:
        labels = _example(selector, ())
        if labels is None:
            return None
        inside.append((selector.metric, labels))
    if not any(_matches(selector, metric, labels) for selector in counted for metric, labels in inside):
        # What is chosen has a metric of its own: the same events are counted by the other, too.
        beside = [(selector.metric, _example(selector, ())) for selector in counted]
        inside += [(metric, {**labels, _MARK: "chosen"}) for metric, labels in beside if labels is not None]
    outside: list[tuple[str, Series]] = []
    for selector in counted:
        labels = _example(selector, chosen)
        if labels is None:
            return None
        outside.append((selector.metric, labels))
    written = [_written(series) for series in inside], [_written(series) for series in outside]
    distinct = {*written[0], *written[1]}
    plain = all(_SAFE.match(value) for _, labels in (*inside, *outside) for value in labels.values())
    return written if plain and len(distinct) == len(inside) + len(outside) else None


def _written(series: tuple[str, Series]) -> str:
    metric, labels = series
    inner = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{metric}{{{inner}}}" if inner else metric


def _example(selector: Selector, without: Iterable[Selector]) -> Series | None:
    """Return labels that `selector` matches and none of `without` does."""
    rivals = [rival for rival in without if rival.metric == selector.metric]
    labels: dict[str, str] = {}
    for name in dict.fromkeys(matcher.label for matcher in selector.matchers):
        own = [matcher for matcher in selector.matchers if matcher.label == name]
        value = next((one for one in _tried(own) if all(_holds(matcher, one) for matcher in own)), None)
        if value is None:
            return None
        if value:
            labels[name] = value
    if not any(_matches(rival, selector.metric, labels) for rival in rivals):
        return labels
    for matcher in [matcher for rival in rivals for matcher in rival.matchers]:
        own = [one for one in selector.matchers if one.label == matcher.label]
        for value in (*_tried(own), *_meant(matcher)):
            changed = {**labels, matcher.label: value}
            if _matches(selector, selector.metric, changed) and not any(
                _matches(rival, selector.metric, changed) for rival in rivals
            ):
                return {name: one for name, one in changed.items() if one}
    return None


def _tried(matchers: Sequence[Matcher]) -> list[str]:
    """Return values that might please all matchers of one label; the empty one stands for its absence."""
    tried: list[str] = []
    for matcher in matchers:
        if not matcher.operator.startswith("!"):
            tried += _meant(matcher)
    return [*tried, *([] if tried else [""]), *_COMMON]


def _meant(matcher: Matcher) -> list[str]:
    """Return values that a matcher speaks of, be it for them or against them."""
    return _alternatives(matcher.value) if matcher.operator.endswith("~") else [matcher.value]


def _alternatives(pattern: str) -> list[str]:
    """Return simple texts that a pattern may match: each alternative with plain characters for its classes."""
    bare = re.sub(r"\\d|\[0-9\]", "0", pattern).replace("(?:", "(")
    bare = re.sub(r"\[(.)[^\]]*\]", r"\1", bare)
    parts = [part for part in re.split(r"[|()^$]", bare) if part]
    texts = []
    for part in parts:
        plain = re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)\.[*+?]?", "0", part))
        texts += [plain, re.sub(r"[*+?]|\{\d+(?:,\d*)?\}", "", plain)]
    return texts


def _matches(selector: Selector, metric: str, labels: Series) -> bool:
    return selector.metric == metric and all(
        _holds(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers
    )


def _holds(matcher: Matcher, value: str) -> bool:
    if matcher.operator in {"=", "!="}:
        return (matcher.value == value) == (matcher.operator == "=")
    try:
        found = re.fullmatch(matcher.value, value) is not None
    except re.error:
        return False
    return found == (matcher.operator == "=~")
