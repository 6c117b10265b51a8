"""Queries written by people, narrowed and widened to what a service's alerts need."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import promql_parser

from obs.errors import ObsError
from obs.generate.derive.gaps import is_gap
from obs.generate.derive.promql.tree import parse, text_of, tree_of

#: What recorded series and alerts keep of the labels that pick a service's series.
_KEPT = frozenset({"service", "environment"})
#: Ends the label of a matcher.
_LABEL_OF = re.compile(r"[=!]")


def scoped(text: str, matchers: Iterable[str]) -> str:
    """Return `text` with `matchers` in every selector that says nothing of their labels itself.

    Raises `ObsError` for text that is no PromQL.
    """
    given = {_LABEL_OF.split(matcher, maxsplit=1)[0]: matcher for matcher in matchers}

    def narrow(node: Any) -> Any:
        if not isinstance(node, promql_parser.VectorSelector):
            return None
        if node.matchers.or_matchers:
            raise ObsError(f"no PromQL: matchers joined by or: {node.prettify()}")
        named = {matcher.name for matcher in node.matchers.matchers}
        wanted = given.keys() & _KEPT if _is_derived(str(node.name or "")) else given.keys()
        added = ", ".join(given[label] for label in sorted(wanted - named))
        if not added:
            return None
        head, brace, rest = str(node.prettify()).partition("{")
        if brace:
            return promql_parser.parse(f"{head}{{{added}{',' if named else ''} {rest}")
        return promql_parser.parse(head.replace(str(node.name), f"{node.name}{{{added}}}", 1))

    return text_of(promql_parser.transform(tree_of(text), None, narrow))


def kept_with(text: str, label: str, beside: str) -> str:
    """Return `text` with `label` in every ``by`` clause that holds `beside`."""

    def widen(node: Any) -> Any:
        if not isinstance(node, promql_parser.AggregateExpr) or node.modifier is None:
            return None
        labels = list(node.modifier.labels)
        if node.modifier.type != promql_parser.AggModifierType.By or beside not in labels or label in labels:
            return None
        clause, wider = f"by ({', '.join(labels)})", f"by ({', '.join([*labels, label])})"
        return promql_parser.parse(str(node.prettify()).replace(clause, wider, 1))

    return text_of(promql_parser.transform(tree_of(text), None, widen))


def ungrouped(text: str) -> tuple[str, frozenset[str]]:
    """Return `text` without the stand-ins of labels (`derive.gaps`) by which it groups or joins, and these."""
    gone: set[str] = set()

    def narrow(node: Any) -> Any:
        modifier = getattr(node, "modifier", None)
        if isinstance(node, promql_parser.BinaryExpr):
            modifier = modifier.matching if modifier is not None else None
        elif not isinstance(node, promql_parser.AggregateExpr):
            return None
        if modifier is None:
            return None
        labels = list(modifier.labels)
        lacking = [label for label in labels if is_gap(label)]
        if not lacking:
            return None
        gone.update(lacking)
        kept = ", ".join(label for label in labels if label not in lacking)
        return promql_parser.parse(str(node.prettify()).replace(f"({', '.join(labels)})", f"({kept})", 1))

    if not any(is_gap(name) for name in parse(text).grouped):
        return text, frozenset()
    narrowed = text_of(promql_parser.transform(tree_of(text), None, narrow))
    return narrowed, frozenset(gone)


def _is_derived(metric: str) -> bool:
    """Tell whether the server writes `metric` itself: recorded series, by their colons, and alerts."""
    return ":" in metric or metric.startswith("ALERTS")
