"""What an expression over recorded series yields, from the parts that the server evaluated.

The whole chain of recording rules is computed at the instants at which its groups are evaluated, so an
alert on an SLO can be judged before any of its series exists. What a part reads that nothing records is
the server's own answer; the operators above it are these, and what is not among them is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from obs.generate.derive.promql.syntax import Aggregation, Call, Matcher, Node, Number, Operation, Selector
from obs.verify.backtest import joining, windows
from obs.verify.backtest.asking import Answers, CannotJudge, Question
from obs.verify.backtest.moments import Columns, Grid, Labels, Values
from obs.verify.backtest.recording import Book, Recorded, constant

_SCALARS = frozenset({"time", "pi", "scalar"})


@dataclass(slots=True)
class Evaluation:
    """Evaluates over what `answers` holds; `closed` is true for a server before Prometheus 3."""

    book: Book
    answers: Answers
    until: int
    closed: bool
    _done: dict[Recorded, Columns | str] = field(default_factory=dict)

    def columns(self, node: Node, grid: Grid) -> Columns:
        """Return what `node` yields on `grid`; a scalar is a column without labels.

        Raises `CannotJudge` for what the server refused and for what cannot be computed here.
        """
        number = node.value if isinstance(node, Number) else constant(node)
        if number is not None:
            return {(): [number] * grid.count}
        if not self.book.reads(node):
            return self.answers.columns(Question(node.text, grid))
        if isinstance(node, Selector | Call):
            return self._read(node, grid)
        if isinstance(node, Aggregation):
            return joining.aggregate(node, self.columns(node.of, grid))
        if isinstance(node, Operation):
            return self._operation(node, grid)
        raise CannotJudge(f"cannot be computed over recorded series here: {node.text}")

    def _read(self, node: Selector | Call, grid: Grid) -> Columns:
        if isinstance(node, Call):
            return self._call(node, grid)
        if node.range is not None:
            raise CannotJudge(f"a range of recorded series without a function: {node.text}")
        return {
            labels: windows.latest(values, on, grid, node.offset, closed=self.closed)
            for labels, values, on in self._series(node)
        }

    def _call(self, node: Call, grid: Grid) -> Columns:
        selector = node.arguments[0] if len(node.arguments) == 1 else None
        if node.function not in windows.FUNCTIONS or not isinstance(selector, Selector):
            raise CannotJudge(f"{node.function} over recorded series is not known here")
        return {
            labels: windows.over(
                node.function,
                values,
                on,
                grid,
                span=selector.range or 0,
                offset=selector.offset,
                closed=self.closed,
            )
            for labels, values, on in self._series(selector)
        }

    def _operation(self, node: Operation, grid: Grid) -> Columns:
        left, right = self.columns(node.left, grid), self.columns(node.right, grid)
        scalar = _is_scalar(node.left), _is_scalar(node.right)
        if not any(scalar) or node.operator in joining.SETS:
            return joining.join(node, left, right)
        if scalar[1]:
            other = right.get((), [None] * grid.count)
            return {labels: joining.combine(node, one, other, filters="left") for labels, one in left.items()}
        one = left.get((), [None] * grid.count)
        return {labels: joining.combine(node, one, other, filters="right") for labels, other in right.items()}

    def _series(self, selector: Selector) -> list[tuple[Labels, Values, Grid]]:
        if selector.odd:
            raise CannotJudge(f"cannot be computed over recorded series here: {selector.text}")
        return [
            (labels, values, self.book.grid(rule, self.until))
            for rule in self.book.chosen(selector)
            for labels, values in self._record(rule).items()
            if all(_matches(matcher, dict(labels)) for matcher in selector.matchers)
        ]

    def _record(self, rule: Recorded) -> Columns:
        done = self._done.get(rule)
        if done is None:
            try:
                done = _labelled(self.columns(rule.expression, self.book.grid(rule, self.until)), rule)
            except CannotJudge as reason:
                done = str(reason)
            self._done[rule] = done
        if isinstance(done, str):
            raise CannotJudge(done)
        return done


def _labelled(columns: Columns, rule: Recorded) -> Columns:
    found: Columns = {}
    for labels, values in columns.items():
        named = {**dict(labels), **dict(rule.labels)}
        key = tuple(sorted((name, value) for name, value in named.items() if value))
        if key in found:
            raise CannotJudge(f"{rule.metric} would be recorded twice with the same labels")
        found[key] = values
    _check_limit(found, rule)
    return found


def _check_limit(columns: Columns, rule: Recorded) -> None:
    """Raise `CannotJudge` where Prometheus fails the rule and drops every series of the evaluation."""
    most = max(
        (sum(value is not None for value in row) for row in zip(*columns.values(), strict=True)), default=0
    )
    if rule.limit and most > rule.limit:
        raise CannotJudge(
            f"{rule.metric} would be {most} series where its group allows {rule.limit}: Prometheus fails the rule"
        )


def _matches(matcher: Matcher, labels: dict[str, str]) -> bool:
    value = labels.get(matcher.label, "")
    if matcher.operator in {"=", "!="}:
        return (value == matcher.value) == (matcher.operator == "=")
    found = re.fullmatch(matcher.value, value, re.DOTALL) is not None
    return found == (matcher.operator == "=~")


def _is_scalar(node: Node) -> bool:
    if isinstance(node, Operation):
        return _is_scalar(node.left) and _is_scalar(node.right)
    return isinstance(node, Number) or (isinstance(node, Call) and node.function in _SCALARS)
