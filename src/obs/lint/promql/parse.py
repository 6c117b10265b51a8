"""The linter's door to the PromQL parser: each text is parsed once and turned into our own nodes.

Reading the parser's objects by attribute costs a tenth of its own `walk`, and typed nodes of ours can
know their parents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

import promql_parser

from obs.generate.derive.promql.bounds import MAX_DEPTH, refusal
from obs.lint.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Matcher,
    Node,
    Number,
    Selector,
    String,
    Subquery,
    Unary,
)

#: Grafana's variables are no PromQL: inside brackets they are durations, elsewhere names or numbers.
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)(?::\w+)?\]\]")
#: What the name of a variable begins with where it stands for a metric or label.
VARIABLE = "var_"
#: An open list of labels.
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\Z")
_PLACEHOLDER_SPAN = "7m7s"
#: A variable after one of these stands for a number, unless braces or brackets follow it.
BEFORE_NUMBERS = ("<", ">", "=", "*", "/", "+", "-", "(", ",")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
#: By the parser's own numbers: they cost a quarter of the names.
_MATCH_OPS = {
    int(promql_parser.MatchOp.Equal): "=",
    int(promql_parser.MatchOp.NotEqual): "!=",
    int(promql_parser.MatchOp.Re): "=~",
    int(promql_parser.MatchOp.NotRe): "!~",
}


_UNSURE = ("'", "`", "\\", "#", "__name__")
_EXACT = frozenset({"=", "!="})
_BY = promql_parser.AggModifierType.By
_PAREN = promql_parser.ParenExpr
_ON = promql_parser.LabelModifierType.Include
_MANY_TO_ONE = promql_parser.VectorMatchCardinality.ManyToOne
_ONE_TO_MANY = promql_parser.VectorMatchCardinality.OneToMany


@dataclass(slots=True, eq=False)
class Parsed:
    """A text as a tree, its nodes by type in the order in which they are written; or why it is none."""

    root: Node | None = None
    error: str = ""
    #: Stands for a variable of Grafana, so that windows and names need not be what they seem.
    has_variables: bool = False
    selectors: list[Selector] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    binaries: list[Binary] = field(default_factory=list)


@lru_cache(maxsize=100_000)
def parse(text: str) -> Parsed:
    """Return the tree of `text`; never raises for what a person wrote."""
    plain = text
    if has_variables := "$" in text or "[[" in text:
        plain = _without_variables(text)
    parsed = Parsed(has_variables=has_variables)
    parsed.error = refusal(plain)
    if parsed.error:
        return parsed
    try:
        tree, values = _tree(plain)
        parsed.root = _Builder(parsed, values).node(tree)
    except ValueError as error:
        return Parsed(error=str(error), has_variables=has_variables)
    return parsed


def _tree(text: str) -> tuple[Any, dict[str, str]]:
    """Return the parser's tree of `text`, with what to read in place of some values of its matchers.

    Rules and panels of many services differ in nothing but such values: texts of one form are parsed once.
    """
    form, values = _form(text)
    if values:
        tree = _of_form(form)
        if tree is not None:
            return tree, values
    return promql_parser.parse(text), {}


def _form(text: str) -> tuple[str, dict[str, str]]:
    """Return `text` with numbers for what is written behind ``=`` and ``!=``, and what they stand for."""
    # Where quotes may not be what they seem, and where a value is a name, the text is taken as it is.
    if any(mark in text for mark in _UNSURE):
        return text, {}
    parts = text.split('"')
    values: dict[str, str] = {}
    for number in range(1, len(parts), 2):
        value = parts[number]
        if value and parts[number - 1].endswith("=") and "\n" not in value:
            values[f"${number}"] = value
            parts[number] = f"${number}"
    return '"'.join(parts), values


@lru_cache(maxsize=10_000)
def _of_form(form: str) -> Any:
    """Return the parser's tree; None for a text that is broken, which must be named as it was written."""
    try:
        return promql_parser.parse(form)
    except ValueError:
        return None


def _without_variables(text: str) -> str:
    """Replace variables outside of quotes, so that the rest can be parsed."""
    # Nearly every panel has this one, and most have no other.
    text = text.replace("[$__rate_interval]", f"[{_PLACEHOLDER_SPAN}]")
    if "$" not in text and "[[" not in text:
        return text
    parts, at = [], 0
    for quoted in _QUOTED.finditer(text):
        parts += [_replaced(text[at : quoted.start()]), quoted.group()]
        at = quoted.end()
    return "".join([*parts, _replaced(text[at:])])


def _replaced(text: str) -> str:
    def chosen(match: re.Match[str]) -> str:
        before = text[: match.start()]
        name = f"{VARIABLE}{match[1] or match[2] or match[3]}"
        if _GROUPING.search(before):
            return name
        if before.rfind("[") > before.rfind("]") or before.rstrip().endswith(("offset", ":")):
            return _PLACEHOLDER_SPAN
        after = text[match.end() :].lstrip()
        if before.rstrip().endswith(BEFORE_NUMBERS) and not after.startswith(("{", "[")):
            return "7007"
        return name

    return _VARIABLE.sub(chosen, text)


class _Builder:
    def __init__(self, parsed: Parsed, values: Mapping[str, str]) -> None:
        self._parsed = parsed
        self._values = values
        self._depth = 0

    def node(self, tree: Any) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels: not looked at")
        kind = type(tree)
        while kind is _PAREN:
            tree = tree.expr
            kind = type(tree)
        built: Node = _BUILD[kind](self, tree)
        self._depth -= 1
        return built

    def selector(self, tree: Any, range_ms: int = 0) -> Selector:
        found = tree.matchers
        given = found.matchers
        for more in found.or_matchers:
            given = [*given, *more]
        matchers = tuple([self._matcher(one) for one in given])
        name = tree.name
        if name is None:
            named = [one for one in matchers if one.label == "__name__" and one.op == "="]
            name = named[0].value if named else ""
            matchers = tuple([one for one in matchers if one not in named])
        node = Selector(name, matchers, range_ms, _ms(tree.offset))
        self._parsed.selectors.append(node)
        return node

    def _matcher(self, given: Any) -> Matcher:
        op, value = _MATCH_OPS[int(given.op)], given.value
        return Matcher(given.name, op, self._values.get(value, value) if op in _EXACT else value)

    def matrix(self, tree: Any) -> Selector:
        return self.selector(tree.vector_selector, _ms(tree.range))

    def call(self, tree: Any) -> Call:
        node = Call(tree.func.name, ())
        self._parsed.calls.append(node)
        node.args = tuple([self.node(argument) for argument in tree.args])
        for argument in node.args:
            argument.parent = node
        return node

    def aggregate(self, tree: Any) -> Aggregate:
        by = without = None
        modifier = tree.modifier
        if modifier is not None:
            labels = tuple(modifier.labels)
            if modifier.type == _BY:
                by = labels
            else:
                without = labels
        node = Aggregate(str(tree.op), Number(0.0), None, by, without)
        self._parsed.aggregates.append(node)
        if tree.param is not None:
            node.param = self.node(tree.param)
            node.param.parent = node
        node.expr = self.node(tree.expr)
        node.expr.parent = node
        return node

    def binary(self, tree: Any) -> Binary:
        # In the order of the text: what stands left is built before the operator is counted.
        lhs = self.node(tree.lhs)
        node = Binary(str(tree.op), lhs, lhs)
        self._parsed.binaries.append(node)
        node.rhs = self.node(tree.rhs)
        node.lhs.parent = node.rhs.parent = node
        modifier = tree.modifier
        if modifier is not None:
            node.is_bool = modifier.return_bool
            card = modifier.card
            if card == _MANY_TO_ONE:
                node.group = "left"
            elif card == _ONE_TO_MANY:
                node.group = "right"
            node.include = tuple(modifier.group_labels or ())
            if modifier.matching is not None:
                labels = tuple(modifier.matching.labels)
                if modifier.matching.type == _ON:
                    node.on = labels
                else:
                    node.ignoring = labels
        return node

    def unary(self, tree: Any) -> Unary:
        node = Unary(self.node(tree.expr))
        node.expr.parent = node
        return node

    def number(self, tree: Any) -> Number:
        return Number(tree.val)

    def string(self, tree: Any) -> String:
        return String(tree.val)

    def subquery(self, tree: Any) -> Subquery:
        node = Subquery(self.node(tree.expr), _ms(tree.range), _ms(tree.step), _ms(tree.offset))
        node.expr.parent = node
        return node


_BUILD: dict[Any, Any] = {
    promql_parser.VectorSelector: _Builder.selector,
    promql_parser.MatrixSelector: _Builder.matrix,
    promql_parser.Call: _Builder.call,
    promql_parser.AggregateExpr: _Builder.aggregate,
    promql_parser.BinaryExpr: _Builder.binary,
    promql_parser.UnaryExpr: _Builder.unary,
    promql_parser.NumberLiteral: _Builder.number,
    promql_parser.StringLiteral: _Builder.string,
    promql_parser.SubqueryExpr: _Builder.subquery,
}


def _ms(span: timedelta | None) -> int:
    return round(span.total_seconds() * 1000) if span is not None else 0
