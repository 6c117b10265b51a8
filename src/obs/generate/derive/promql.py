"""The one door to the PromQL parser: parse, resolve every name against the contract, print.

Texts are parsed once (a parse costs 60 microseconds, and many expressions share their parts) and are
always printed by ``prettify()``: the parser's ``str()`` does not survive a second parse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser

from obs.errors import ObsError, UnknownSignal, suggest
from obs.generate.derive.gaps import CannotDerive, reason_of
from obs.generate.derive.vocabulary import Vocabulary

#: Grafana's macros are no PromQL; each is parsed as a duration that nobody would write.
_MACROS = {"$__rate_interval": "7m7s", "$__interval": "7m11s", "$__range": "7m13s"}


@dataclass(frozen=True, slots=True)
class _Parsed:
    text: str
    #: (metric, labels it is matched on) of every selector.
    selectors: tuple[tuple[str, tuple[str, ...]], ...]
    #: Labels that aggregations and joins name.
    grouped: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every metric and label, in order."""
        return (*(name for metric, matched in self.selectors for name in (metric, *matched)), *self.grouped)


def checked(text: str, vocabulary: Vocabulary) -> str:
    """Return `text` in the parser's own layout, proven to use only what the contract declares.

    Raises `UnknownSignal` with the nearest match for a metric or label that nothing declares,
    `CannotDerive` for what the catalogue knows but this service lacks, and `ObsError` for text that is
    no PromQL.
    """
    parsed = _parse(text)
    for name in parsed.names:
        reason = reason_of(name)
        if reason is not None:
            raise CannotDerive(reason)
    known: set[str] = set()
    for metric, matched in parsed.selectors:
        labels = vocabulary.labels_of(metric)
        known |= labels
        for label in matched:
            if label not in labels:
                raise UnknownSignal(f"{metric} has no label {label!r}", hint=suggest(label, labels))
    for label in parsed.grouped:
        if parsed.selectors and label not in known:
            raise UnknownSignal(f"no series of the query has a label {label!r}", hint=suggest(label, known))
    return parsed.text


@lru_cache(maxsize=50_000)
def _parse(text: str) -> _Parsed:
    plain = text
    for macro, span in _MACROS.items():
        plain = plain.replace(macro, span)
    try:
        tree = promql_parser.parse(plain)
    except ValueError as error:
        raise ObsError(f"no PromQL: {error}: {text}") from None
    selectors: list[tuple[str, tuple[str, ...]]] = []
    grouped: list[str] = []
    for node in _nodes(tree):
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(_selector(node))
        elif isinstance(node, promql_parser.AggregateExpr):
            grouped += node.modifier.labels if node.modifier else ()
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier and node.modifier.matching:
            grouped += node.modifier.matching.labels
    printed = str(tree.prettify())
    for macro, span in _MACROS.items():
        printed = printed.replace(span, macro)
    return _Parsed(printed, tuple(selectors), tuple(grouped))


def _nodes(tree: Any) -> Iterator[Any]:
    found: list[Any] = []
    promql_parser.walk(tree, found.append)
    return iter(found)


def _selector(node: Any) -> tuple[str, tuple[str, ...]]:
    matchers = node.matchers.matchers
    name = node.name or next((m.value for m in matchers if m.name == "__name__"), "")
    return name, tuple(m.name for m in matchers if m.name != "__name__")
