"""The recording rules of a service, which the server does not have yet, and what each needs of the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from obs.generate.derive.promql.syntax import Call, Node, Number, Selector, children, read
from obs.generate.model import RecordingRule, RuleFile, RuleGroup
from obs.verify.backtest.asking import Question
from obs.verify.backtest.moments import Grid
from obs.verify.backtest.windows import LOOKBACK

#: Milliseconds between two evaluations of a group that leaves it to the server.
INTERVAL = 60_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording rule."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    expression: Node
    #: Milliseconds between two evaluations.
    step: int
    #: Milliseconds that an evaluation reads, and writes, in the past.
    offset: int = 0
    #: Most series that an evaluation may yield; None: any number.
    limit: int | None = None


@dataclass(slots=True)
class Book:
    """Every recording rule of one service, by what it records; knows how far back each is needed."""

    rules: dict[str, list[Recorded]] = field(default_factory=dict)
    #: The earliest sample that anybody reads, in milliseconds since the Unix epoch.
    _since: dict[Recorded, int] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Iterable[RuleFile]) -> Book:
        """Return the rules of all files."""
        book = cls()
        for file in files:
            for group in file.groups:
                for rule in group.rules:
                    if isinstance(rule, RecordingRule):
                        labels = tuple(sorted(rule.labels.items()))
                        one = Recorded(rule.record, labels, read(rule.expr), *pace(group), group.limit)
                        book.rules.setdefault(rule.record, []).append(one)
        return book

    def reads(self, node: Node) -> bool:
        """Tell whether `node` reads anything that a rule of the book records."""
        if isinstance(node, Selector):
            return node.metric in self.rules
        return any(self.reads(child) for child in children(node))

    def chosen(self, selector: Selector) -> list[Recorded]:
        """Return the rules whose series `selector` may match, going by the labels that they set."""
        return [
            rule
            for rule in self.rules[selector.metric]
            if not any(
                matcher.operator == "="
                and dict(rule.labels).get(matcher.label, matcher.value) != matcher.value
                for matcher in selector.matchers
            )
        ]

    def need(self, node: Node, since: int) -> None:
        """Note that `node` is evaluated from `since` on, and so all that it reads, from before then."""
        if isinstance(node, Selector) and node.metric in self.rules:
            for rule in self.chosen(node):
                first = since - node.offset - (node.range if node.range is not None else LOOKBACK)
                first = (first + rule.offset) // rule.step * rule.step - rule.offset
                if first < self._since.get(rule, first + 1):
                    self._since[rule] = first
                    self.need(rule.expression, first)
        for child in children(node):
            self.need(child, since)

    def grid(self, rule: Recorded, until: int) -> Grid:
        """Return the instants at which the needed evaluations of `rule` read and write."""
        return Grid.within(self._since[rule] + rule.offset, until, rule.step).before(rule.offset)

    def questions(self, until: int) -> Iterator[Question]:
        """Yield what the server must be asked for, so that every needed rule can be evaluated."""
        for rule in self._since:
            yield from self.raw(rule.expression, self.grid(rule, until))

    def raw(self, node: Node, grid: Grid) -> Iterator[Question]:
        """Yield the largest parts of `node` that read nothing recorded: the server evaluates those."""
        if isinstance(node, Number) or constant(node) is not None:
            return
        if not self.reads(node):
            yield Question(node.text, grid)
            return
        for child in children(node):
            yield from self.raw(child, grid)

    def reach(self, node: Node) -> int:
        """Return how far back `node` looks, through everything recorded, in milliseconds."""
        own = (node.range or 0) + max(0, node.offset) if isinstance(node, Selector) else 0
        below = [self.reach(child) for child in children(node)]
        if isinstance(node, Selector) and node.metric in self.rules:
            below += [self.reach(rule.expression) for rule in self.chosen(node)]
        return own + max(below, default=0)

    def sources(self, node: Node) -> Iterator[Selector]:
        """Yield every selector that `node` reads in the end, through everything recorded."""
        if isinstance(node, Selector) and node.metric in self.rules:
            for rule in self.chosen(node):
                yield from self.sources(rule.expression)
        elif isinstance(node, Selector):
            yield node
        for child in children(node):
            yield from self.sources(child)


def pace(group: RuleGroup) -> tuple[int, int]:
    """Return how far apart the evaluations of `group` are, and how far in the past, in milliseconds."""
    interval, offset = group.interval, group.query_offset
    return interval.milliseconds if interval else INTERVAL, offset.milliseconds if offset else 0


def constant(node: Node) -> float | None:
    """Return the number of ``vector(number)``; None for anything else."""
    if isinstance(node, Call) and node.function == "vector" and isinstance(node.arguments[0], Number):
        return node.arguments[0].value
    return None
