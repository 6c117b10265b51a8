"""Proof that a query about our logs asks for labels and fields that our log lines have."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from obs.errors import UnknownSignal, suggest
from obs.generate.derive.logql.grammar import parse
from obs.generate.derive.logql.printing import printed
from obs.generate.derive.logql.tree import (
    Binary,
    Chosen,
    Comparison,
    Condition,
    Grouping,
    LabelFilter,
    LabelReplace,
    LogQuery,
    Number,
    Parser,
    Query,
    RangeAggregation,
    Unwrap,
    Vector,
    VectorAggregation,
)

#: Loki's own label for a line that a stage could not work on.
_ERROR = "__error__"


def checked(text: str, streams: AbstractSet[str], fields: AbstractSet[str]) -> str:
    """Return `text` in our layout, proven: selectors use `streams`, everything else those or `fields`.

    Fields are structured metadata when they arrive, so a stage that parses the line is refused: the
    collector has taken the JSON apart, and parsing the message that is left fails the whole query.
    Raises `UnknownSignal` for a label that no line has, and `ObsError` for text that is no LogQL.
    """
    tree = parse(text)
    for query in _log_queries(tree):
        for matcher in query.matchers:
            _known(matcher.name, streams, "log streams have no label")
        for stage in query.stages:
            if isinstance(stage, Parser):
                raise UnknownSignal(
                    f"| {stage.name}: lines arrive as their message alone, with the fields beside it",
                    hint=f"leave it out: the fields can be asked for without `| {stage.name}`",
                )
            names = (
                _names(stage.condition)
                if isinstance(stage, LabelFilter)
                else stage.labels
                if isinstance(stage, Chosen)
                else (stage.label,)
                if isinstance(stage, Unwrap)
                else ()
            )
            for name in names:
                _known(name, {*streams, *fields, _ERROR}, "log lines have no field")
    for grouping in _groupings(tree):
        for label in grouping.labels:
            _known(label, {*streams, *fields}, "log lines have no field")
    return printed(tree)


def _known(name: str, known: AbstractSet[str], complaint: str) -> None:
    if name not in known:
        raise UnknownSignal(f"{complaint} {name!r}", hint=suggest(name, known))


def _nodes(query: Query) -> Iterator[Query]:
    yield query
    if isinstance(query, RangeAggregation):
        yield query.query
    elif isinstance(query, VectorAggregation | LabelReplace):
        yield from _nodes(query.inner)
    elif isinstance(query, Binary):
        yield from _nodes(query.left)
        yield from _nodes(query.right)


def _log_queries(query: Query) -> Iterator[LogQuery]:
    return (node for node in _nodes(query) if isinstance(node, LogQuery))


def _groupings(query: Query) -> Iterator[Grouping]:
    for node in _nodes(query):
        if not isinstance(node, LogQuery | LabelReplace | Binary | Number | Vector) and node.grouping:
            yield node.grouping


def _names(condition: Condition) -> Iterator[str]:
    if isinstance(condition, Comparison):
        yield condition.name
    else:
        yield from _names(condition.left)
        yield from _names(condition.right)
