"""Texts of PromQL as trees and back; each text is parsed once.

A parse costs 60 microseconds, and many expressions share their parts. Trees are always printed by
``prettify()``: the parser's ``str()`` does not survive a second parse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser

from obs.errors import ObsError
from obs.generate.derive.promql.bounds import MAX_DEPTH, may_be_deep, refusal

#: Grafana's macros are no PromQL; each is parsed as a duration that nobody would write.
_MACROS = {"$__rate_interval": "7m7s", "$__interval": "7m11s", "$__range": "7m13s"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text in the parser's layout, and the names in it."""

    text: str
    #: (metric, labels it is matched on) of every selector.
    selectors: tuple[tuple[str, tuple[str, ...]], ...]
    #: Labels that aggregations and joins name.
    grouped: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every metric and label, in order."""
        return (*(name for metric, matched in self.selectors for name in (metric, *matched)), *self.grouped)


# Parts are shared within a service, of which each has some hundreds; among services hardly any are.
@lru_cache(maxsize=2000)
def parse(text: str) -> Parsed:
    """Return what is in `text`; raise `ObsError` for text that is no PromQL."""
    tree = tree_of(text)
    selectors: list[tuple[str, tuple[str, ...]]] = []
    grouped: list[str] = []
    for node in _nodes(tree):
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(_selector(node))
        elif isinstance(node, promql_parser.AggregateExpr):
            grouped += node.modifier.labels if node.modifier else ()
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier and node.modifier.matching:
            grouped += node.modifier.matching.labels
    return Parsed(text_of(tree), tuple(selectors), tuple(grouped))


def tree_of(text: str) -> Any:
    """Return the tree of `text`; raise `ObsError` for text that is no PromQL."""
    plain = text
    for macro, span in _MACROS.items():
        plain = plain.replace(macro, span)
    if reason := refusal(plain):
        raise ObsError(f"no PromQL that can be read: {reason}")
    try:
        tree = promql_parser.parse(plain)
    except ValueError as error:
        raise ObsError(f"no PromQL: {error}: {text}") from None
    if may_be_deep(plain) and _is_deep(tree):
        raise ObsError(f"no PromQL that can be read: nested deeper than {MAX_DEPTH} levels")
    return tree


def text_of(tree: Any) -> str:
    """Return the text of a tree, in the parser's own layout."""
    text = str(tree.prettify())
    for macro, span in _MACROS.items():
        text = text.replace(span, macro)
    return text


def inner(node: Any) -> Any:
    """Return what stands inside of parentheses."""
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def _is_deep(tree: Any) -> bool:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return True
        node = inner(node)
        below = (getattr(node, "lhs", None), getattr(node, "rhs", None), getattr(node, "expr", None))
        waiting += [(one, depth + 1) for one in (*below, *getattr(node, "args", ())) if one is not None]
    return False


def _nodes(tree: Any) -> Iterator[Any]:
    found: list[Any] = []
    promql_parser.walk(tree, found.append)
    return iter(found)


def _selector(node: Any) -> tuple[str, tuple[str, ...]]:
    matchers = node.matchers.matchers
    name = node.name or next((m.value for m in matchers if m.name == "__name__"), "")
    return name, tuple(m.name for m in matchers if m.name != "__name__")
