"""The one door to the PromQL parser: parse, resolve every name against the contract, print.

Texts are parsed once (a parse costs 60 microseconds, and many expressions share their parts) and are
always printed by ``prettify()``: the parser's ``str()`` does not survive a second parse.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import promql_parser

from obs.errors import ObsError, UnknownSignal, suggest
from obs.generate.derive.gaps import CannotDerive, is_gap, reason_of
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Duration

#: What recorded series and alerts keep of the labels that pick a service's series.
_KEPT = frozenset({"service", "environment"})
#: Ends the label of a matcher.
_LABEL_OF = re.compile(r"[=!]")
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
    # The label of one signal need not stand on another, where each is a metric of the team's own.
    lacking = CannotDerive if vocabulary.mapping else UnknownSignal
    known: set[str] = set()
    for metric, matched in parsed.selectors:
        labels = vocabulary.labels_of(metric)
        known |= labels
        for label in matched:
            if label not in labels:
                raise lacking(f"{metric} has no label {label!r}", hint=suggest(label, labels))
    for label in parsed.grouped:
        if parsed.selectors and label not in known:
            raise lacking(f"no series of the query has a label {label!r}", hint=suggest(label, known))
    return parsed.text


def printed(text: str) -> str:
    """Return `text`, made of parts that are proven already, in the parser's own layout.

    Raises `ObsError` for text that is no PromQL.
    """
    return _parse(text).text


@lru_cache(maxsize=50_000)
def _parse(text: str) -> _Parsed:
    tree = _tree(text)
    selectors: list[tuple[str, tuple[str, ...]]] = []
    grouped: list[str] = []
    for node in _nodes(tree):
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(_selector(node))
        elif isinstance(node, promql_parser.AggregateExpr):
            grouped += node.modifier.labels if node.modifier else ()
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier and node.modifier.matching:
            grouped += node.modifier.matching.labels
    return _Parsed(_printed(tree), tuple(selectors), tuple(grouped))


def _nodes(tree: Any) -> Iterator[Any]:
    found: list[Any] = []
    promql_parser.walk(tree, found.append)
    return iter(found)


def _selector(node: Any) -> tuple[str, tuple[str, ...]]:
    matchers = node.matchers.matchers
    name = node.name or next((m.value for m in matchers if m.name == "__name__"), "")
    return name, tuple(m.name for m in matchers if m.name != "__name__")


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

    return _printed(promql_parser.transform(_tree(text), None, narrow))


def _is_derived(metric: str) -> bool:
    """Tell whether the server writes `metric` itself: recorded series, by their colons, and alerts."""
    return ":" in metric or metric.startswith("ALERTS")


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

    return _printed(promql_parser.transform(_tree(text), None, widen))


def result_labels(text: str) -> frozenset[str] | None:
    """Return the labels that the outermost aggregation leaves, or None where there is none that names them.

    Of an operation on two vectors the left side decides, as it does in the engine.
    """
    node = _tree(text)
    while True:
        if isinstance(node, promql_parser.AggregateExpr):
            if node.modifier is None:
                return frozenset()
            by = node.modifier.type == promql_parser.AggModifierType.By
            return frozenset(node.modifier.labels) if by else None
        if isinstance(node, promql_parser.BinaryExpr):
            node = node.rhs if isinstance(node.lhs, promql_parser.NumberLiteral) else node.lhs
        elif isinstance(node, promql_parser.ParenExpr | promql_parser.UnaryExpr | promql_parser.SubqueryExpr):
            node = node.expr
        else:
            return None


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

    if not any(is_gap(name) for name in _parse(text).grouped):
        return text, frozenset()
    printed = _printed(promql_parser.transform(_tree(text), None, narrow))
    return printed, frozenset(gone)


def keeps(text: str, label: str) -> bool:
    """Tell whether what `text` yields may carry `label`, going by its aggregations and joins."""
    return _keeps(_tree(text), label)


def condition(text: str) -> tuple[str, str, Decimal] | None:
    """Return what a comparison with a number compares: text, operator, number; None for anything else."""
    node = _inner(_tree(text))
    if not isinstance(node, promql_parser.BinaryExpr) or str(node.op) not in _COMPARISONS:
        return None
    right = _inner(node.rhs)
    if not isinstance(right, promql_parser.NumberLiteral) or math.isnan(right.val) or math.isinf(right.val):
        return None
    return str(node.lhs.prettify()), str(node.op), Decimal(repr(right.val))


def reach(text: str) -> Duration:
    """Return how far back `text` looks: the longest sum of ranges, subqueries and offsets on one path."""
    return Duration(round(_reach(_tree(text)) * 1000))


def metrics(text: str) -> tuple[str, ...]:
    """Return the metrics that `text` reads, each once, in order."""
    return tuple(dict.fromkeys(metric for metric, _ in _parse(text).selectors if metric))


_COMPARISONS = frozenset({">", "<", ">=", "<=", "=="})


def _tree(text: str) -> Any:
    plain = text
    for macro, span in _MACROS.items():
        plain = plain.replace(macro, span)
    try:
        return promql_parser.parse(plain)
    except ValueError as error:
        raise ObsError(f"no PromQL: {error}: {text}") from None


def _printed(tree: Any) -> str:
    text = str(tree.prettify())
    for macro, span in _MACROS.items():
        text = text.replace(span, macro)
    return text


def _inner(node: Any) -> Any:
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def _keeps(node: Any, label: str) -> bool:
    node = _inner(node)
    if isinstance(node, promql_parser.VectorSelector | promql_parser.MatrixSelector):
        return True
    if isinstance(node, promql_parser.SubqueryExpr | promql_parser.UnaryExpr):
        return _keeps(node.expr, label)
    if isinstance(node, promql_parser.AggregateExpr):
        return _aggregate_keeps(node, label)
    if isinstance(node, promql_parser.BinaryExpr):
        return _binary_keeps(node, label)
    if isinstance(node, promql_parser.Call):
        return _call_keeps(node, label)
    return False


def _aggregate_keeps(node: Any, label: str) -> bool:
    if str(node.op) in {"topk", "bottomk", "limitk", "limit_ratio"}:
        return _keeps(node.expr, label)
    if node.modifier is None:
        return False
    named = label in node.modifier.labels
    by = node.modifier.type == promql_parser.AggModifierType.By
    return named == by and _keeps(node.expr, label)


def _binary_keeps(node: Any, label: str) -> bool:
    sides = _keeps(node.lhs, label), _keeps(node.rhs, label)
    operator = str(node.op)
    if operator == "or":
        return all(sides)
    if operator in {"and", "unless"}:
        return sides[0]
    vectors = [
        _inner(side).__class__ is not promql_parser.NumberLiteral and _is_vector(side)
        for side in (node.lhs, node.rhs)
    ]
    if not all(vectors):
        return sides[0] if vectors[0] else sides[1]
    return _join_keeps(node.modifier, sides, label)


def _join_keeps(modifier: Any, sides: tuple[bool, bool], label: str) -> bool:
    """Tell whether a join of two vectors keeps `label`; `sides` says which of them have it."""
    if modifier is None or modifier.matching is None:
        return all(sides)
    for card, many in zip(
        (promql_parser.VectorMatchCardinality.ManyToOne, promql_parser.VectorMatchCardinality.OneToMany),
        sides,
        strict=True,
    ):
        if modifier.card == card:
            return many or label in modifier.group_labels
    included = modifier.matching.type == promql_parser.LabelModifierType.Include
    return (label in modifier.matching.labels) == included and all(sides)


def _is_vector(node: Any) -> bool:
    node = _inner(node)
    if isinstance(node, promql_parser.NumberLiteral | promql_parser.StringLiteral):
        return False
    if isinstance(node, promql_parser.Call):
        return node.func.name not in {"time", "scalar", "pi"}
    if isinstance(node, promql_parser.BinaryExpr):
        return _is_vector(node.lhs) or _is_vector(node.rhs)
    if isinstance(node, promql_parser.UnaryExpr):
        return _is_vector(node.expr)
    return True


def _call_keeps(node: Any, label: str) -> bool:
    name, arguments = node.func.name, list(node.args)
    if name in {"absent", "absent_over_time"}:
        selector = _inner(arguments[0])
        selector = getattr(selector, "vector_selector", selector)
        if not isinstance(selector, promql_parser.VectorSelector):
            return False
        equal = {one.name for one in selector.matchers.matchers if one.op == promql_parser.MatchOp.Equal}
        return label in equal
    if name in {"label_replace", "label_join"} and arguments[1].val == label:
        return True
    return any(_keeps(argument, label) for argument in arguments if _is_vector(argument))


def _reach(node: Any) -> float:
    node = _inner(node)
    own = 0.0
    span = getattr(node, "range", None)
    if span is not None:
        own += span.total_seconds()
    if isinstance(node, promql_parser.MatrixSelector):
        node = node.vector_selector
    offset = getattr(node, "offset", None)
    if offset is not None:
        own += max(0.0, offset.total_seconds())
    return own + max((_reach(child) for child in _children(node)), default=0.0)


def _children(node: Any) -> list[Any]:
    if isinstance(node, promql_parser.Call):
        return [one for one in node.args if not isinstance(one, promql_parser.StringLiteral)]
    if isinstance(node, promql_parser.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, promql_parser.AggregateExpr):
        return [node.expr]
    if isinstance(node, promql_parser.SubqueryExpr | promql_parser.UnaryExpr):
        return [node.expr]
    return []
