"""Queries for rates of events, rewritten to count the events of each service and environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import promql_parser

from obs.generate.derive.promql.tree import text_of, tree_of

_RATES = frozenset({"rate", "irate"})


def counted(text: str, labels: Sequence[str]) -> str:
    """Return `text` with ``increase`` for every rate, and with `labels` in every sum.

    A rate times its range is an increase, so ratios stay what they are. Raises `ObsError` for text that is no PromQL.
    """

    def count(node: Any) -> Any:
        if isinstance(node, promql_parser.Call) and node.func.name in _RATES:
            return promql_parser.parse(str(node.prettify()).replace(f"{node.func.name}(", "increase(", 1))
        if isinstance(node, promql_parser.AggregateExpr) and str(node.op) == "sum":
            return _kept(node, labels)
        return None

    return text_of(promql_parser.transform(tree_of(text), None, count))


def _kept(node: Any, labels: Sequence[str]) -> Any:
    written = str(node.prettify())
    if node.modifier is None:
        return promql_parser.parse(written.replace("sum(", f"sum by ({', '.join(labels)}) (", 1))
    own = list(node.modifier.labels)
    if node.modifier.type != promql_parser.AggModifierType.By or set(labels) <= set(own):
        return None
    wider = [*own, *(label for label in labels if label not in own)]
    return promql_parser.parse(written.replace(f"({', '.join(own)})", f"({', '.join(wider)})", 1))
