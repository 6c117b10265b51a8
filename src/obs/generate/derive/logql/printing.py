"""Tree -> LogQL, in one layout: the same query always has the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from obs.generate.derive.logql.tree import (
    Binary,
    Chosen,
    Combination,
    Comparison,
    Condition,
    Grouping,
    LabelReplace,
    LineFilter,
    LineFormat,
    LogQuery,
    Matching,
    Number,
    Parser,
    Query,
    RangeAggregation,
    Stage,
    Unwrap,
    Vector,
    VectorAggregation,
)


def printed(query: Query) -> str:  # noqa: PLR0911 - one return for each kind of node
    """Return `query` as text, in one line."""
    if isinstance(query, LogQuery):
        return _logs(query)
    if isinstance(query, RangeAggregation):
        return _range(query)
    if isinstance(query, VectorAggregation):
        inner = ", ".join([*([query.parameter] if query.parameter else []), printed(query.inner)])
        return f"{query.function}{_grouping(query.grouping, before=True)}({inner})"
    if isinstance(query, LabelReplace):
        return f"label_replace({', '.join([printed(query.inner), *map(quoted, query.texts)])})"
    if isinstance(query, Vector):
        return f"vector({query.text})"
    if isinstance(query, Number):
        return query.text
    return _binary(query)


def quoted(text: str) -> str:
    """Return `text` between quotes: backticks where a backslash would have to be doubled."""
    if ("\\" in text or '"' in text) and "`" not in text and "\n" not in text and "\r" not in text:
        return f"`{text}`"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'


def _logs(query: LogQuery) -> str:
    matchers = ", ".join(f"{m.name}{m.operator}{quoted(m.value)}" for m in query.matchers)
    return " ".join([f"{{{matchers}}}", *map(_stage, query.stages)])


def _stage(stage: Stage) -> str:
    if isinstance(stage, LineFilter):
        return f"{stage.operator} {' or '.join(map(quoted, stage.values))}"
    if isinstance(stage, Parser):
        return f"| {stage.name}"
    if isinstance(stage, LineFormat):
        return f"| line_format {quoted(stage.template)}"
    if isinstance(stage, Chosen):
        return f"| {stage.name} {', '.join(stage.labels)}"
    if isinstance(stage, Unwrap):
        return (
            f"| unwrap {stage.conversion}({stage.label})" if stage.conversion else f"| unwrap {stage.label}"
        )
    return f"| {_condition(stage.condition)}"


def _condition(condition: Condition) -> str:
    if isinstance(condition, Comparison):
        value = quoted(condition.value) if condition.is_text else condition.value
        space = "" if condition.is_text else " "
        return f"{condition.name}{space}{condition.operator}{space}{value}"
    return f"{_side(condition, condition.left)} {condition.operator} {_side(condition, condition.right, right=True)}"


def _side(owner: Combination, side: Condition, *, right: bool = False) -> str:
    text = _condition(side)
    # Both words are read from the left, so a combination on the right keeps its parentheses.
    loose = isinstance(side, Combination) and (right or side.operator != owner.operator)
    return f"({text})" if loose else text


def _range(query: RangeAggregation) -> str:
    offset = f" offset {query.offset}" if query.offset else ""
    parameter = f"{query.parameter}, " if query.parameter else ""
    grouping = _grouping(query.grouping, before=False)
    return f"{query.function}({parameter}{_logs(query.query)} [{query.range}]{offset}){grouping}"


def _grouping(grouping: Grouping | None, *, before: bool) -> str:
    if grouping is None:
        return ""
    text = f" {grouping.word} {_names(grouping.labels)}"
    return f"{text} " if before else text


def _names(labels: Sequence[str]) -> str:
    return f"({', '.join(labels)})"


def _binary(query: Binary) -> str:
    words = [query.operator, *(["bool"] if query.is_bool else []), *_matching(query.matching)]
    return f"{_operand(query.left)} {' '.join(words)} {_operand(query.right)}"


def _matching(matching: Matching | None) -> list[str]:
    return [f"{matching.word} {_names(matching.labels)}"] if matching else []


def _operand(query: Query) -> str:
    return f"({printed(query)})" if isinstance(query, Binary) else printed(query)
