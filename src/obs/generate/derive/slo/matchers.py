"""Labels and values of a spec as matchers of PromQL."""

from __future__ import annotations

import re
from collections.abc import Iterable

from obs.generate.derive.vocabulary import Vocabulary, escape
from obs.generate.model import LabelValues

_CLASS = re.compile(r"[1-9]xx\Z")
_SPECIAL = re.compile(r"([.+*?()|\[\]{}^$\\])")


def matching(signal: str, wanted: Iterable[LabelValues], names: Vocabulary) -> tuple[str, ...]:
    """Return matchers of the events that have all of `wanted`."""
    return tuple(_matcher(names.label(signal, one.label), one.values, "") for one in wanted)


def excluding(signal: str, unwanted: Iterable[LabelValues], names: Vocabulary) -> tuple[str, ...]:
    """Return matchers of the events that have none of `unwanted`."""
    return tuple(_matcher(names.label(signal, one.label), one.values, "!") for one in unwanted)


def _matcher(label: str, values: tuple[str, ...], negation: str) -> str:
    if len(values) == 1 and not _CLASS.match(values[0]):
        return f'{label}{negation}="{escape(values[0])}"'
    pattern = "|".join(_pattern(value) for value in values)
    return f'{label}{negation or "="}~"{escape(pattern)}"'


def _pattern(value: str) -> str:
    return f"{value[0]}.." if _CLASS.match(value) else _SPECIAL.sub(r"\\\1", value)
