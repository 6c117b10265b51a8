"""What a backtest of one service asks, and how its alerts are judged by the answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from obs.generate.derive.promql.syntax import Node, read
from obs.generate.model import Alert, RuleFile
from obs.verify.backtest import coverage
from obs.verify.backtest.asking import Answers, CannotJudge, Question
from obs.verify.backtest.coverage import Coverage
from obs.verify.backtest.evaluation import Evaluation
from obs.verify.backtest.firing import Firing, firings
from obs.verify.backtest.moments import Grid, Labels, most_at_once, runs_of
from obs.verify.backtest.recording import Book, pace

#: Evaluations of one alert; a period that would take more is looked at in wider steps.
MAX_EVALUATIONS = 60_000


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin` to `until`, in milliseconds since the Unix epoch."""

    begin: int
    until: int


@dataclass(frozen=True, slots=True)
class Watch:
    """One alert and the instants at which it is evaluated; they begin before the period."""

    alert: Alert
    node: Node
    #: Milliseconds between two evaluations in production.
    interval: int
    #: Milliseconds that each of them looks into the past.
    offset: int
    grid: Grid
    #: Alerts that may be pending or firing at once; None: any number.
    limit: int | None = None

    @property
    def read(self) -> Grid:
        """The instants whose samples the evaluations see."""
        return self.grid.before(self.offset)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one alert would have done."""

    watch: Watch
    #: In the order in which they began.
    firings: tuple[Firing, ...] = ()
    #: None when the server could not tell.
    coverage: Coverage | None = None
    #: Why it could not be judged; empty when it was.
    reason: str = ""


class ServicePlan:
    """The alerts of one service in a period, and everything that must be known to judge them."""

    def __init__(self, service: str, files: tuple[RuleFile, ...], period: Period) -> None:
        self.service = service
        self._period = period
        self._book = Book.of(files)
        self.watches = tuple(_watches(files, period))
        for watch in self.watches:
            self._book.need(watch.node, watch.read.start)
        reach = max(map(self._reach, self.watches), default=0)
        self._since = period.begin - reach
        self.questions = tuple(dict.fromkeys(self._questions()))

    @property
    def queries(self) -> int:
        """How many queries it takes."""
        return sum(question.queries for question in self.questions)

    def judge(self, answers: Answers, *, closed: bool) -> Iterator[Judged]:
        """Yield what each alert would have done; `closed` is true for a server before Prometheus 3."""
        evaluation = Evaluation(self._book, answers, self._period.until, closed)
        for watch in self.watches:
            covered = self._covered(watch, answers)
            try:
                found = tuple(self._firings(watch, evaluation))
            except CannotJudge as reason:
                yield Judged(watch, coverage=covered, reason=str(reason))
            else:
                yield Judged(watch, found, covered)

    def _questions(self) -> Iterator[Question]:
        for watch in self.watches:
            if self._book.reads(watch.node):
                yield from self._book.raw(watch.node, watch.read)
            else:
                yield Question(watch.node.text, watch.read, presence=True)
            yield from coverage.questions(self._book.sources(watch.node), self._since, self._period.until)
        yield from self._book.questions(self._period.until)

    def _covered(self, watch: Watch, answers: Answers) -> Coverage | None:
        try:
            return coverage.judge(
                self._book.sources(watch.node),
                answers,
                reach=self._reach(watch),
                since=self._since,
                begin=self._period.begin,
                until=self._period.until,
            )
        except CannotJudge:
            return None

    def _reach(self, watch: Watch) -> int:
        return self._book.reach(watch.node) + watch.offset

    def _firings(self, watch: Watch, evaluation: Evaluation) -> list[Firing]:
        keep = watch.alert.keep_firing_for
        found: list[Firing] = []
        for labels, runs in self._runs(watch, evaluation).items():
            found += firings(
                labels,
                runs,
                watch.grid,
                hold=watch.alert.for_.milliseconds,
                keep=keep.milliseconds if keep else 0,
                begin=self._period.begin,
                end=self._period.until,
            )
        return sorted(found, key=lambda firing: (firing.start, firing.labels))

    def _runs(self, watch: Watch, evaluation: Evaluation) -> dict[Labels, list[tuple[int, int]]]:
        if self._book.reads(watch.node):
            found = {
                labels: runs_of(at for at, value in enumerate(column) if value is not None)
                for labels, column in evaluation.columns(watch.node, watch.read).items()
            }
        else:
            found = evaluation.answers.runs(Question(watch.node.text, watch.read, presence=True))
        labelled = _labelled(found, watch.alert)
        _check_limit(labelled, watch)
        return labelled


def widened(watch: Watch) -> bool:
    """Tell whether an alert was evaluated less often than in production."""
    return watch.grid.step > watch.interval


def _watches(files: tuple[RuleFile, ...], period: Period) -> Iterator[Watch]:
    for file in files:
        for group in file.groups:
            interval, offset = pace(group)
            for rule in group.rules:
                if isinstance(rule, Alert):
                    grid = _grid(rule, interval, period)
                    yield Watch(rule, read(rule.expr), interval, offset, grid, group.limit)


def _grid(alert: Alert, interval: int, period: Period) -> Grid:
    """Return evaluations that begin so early that what is active when the period begins is known."""
    keep = alert.keep_firing_for
    warm = alert.for_.milliseconds + (keep.milliseconds if keep else 0)
    evaluations = (period.until - period.begin + warm) // interval + 2
    step = interval * -(-evaluations // MAX_EVALUATIONS)
    return Grid.within(period.begin - warm - step, period.until, step)


def _check_limit(runs: dict[Labels, list[tuple[int, int]]], watch: Watch) -> None:
    """Raise `CannotJudge` where Prometheus fails the rule and forgets every alert of it."""
    keep = watch.alert.keep_firing_for
    lasts = -(-keep.milliseconds // watch.grid.step) if keep else 0
    most = most_at_once(
        runs_of(at for first, last in one for at in range(first, last + lasts + 1)) if lasts else one
        for one in runs.values()
    )
    if watch.limit and most > watch.limit:
        raise CannotJudge(
            f"{most} alerts at once where its group allows {watch.limit}: Prometheus fails the rule and forgets them"
        )


def _labelled(runs: dict[Labels, list[tuple[int, int]]], alert: Alert) -> dict[Labels, list[tuple[int, int]]]:
    """Return each series under the labels that tell the alerts of one rule apart.

    Labels that the rule sets are the same for all of them; where they hide the only difference of two
    series, Prometheus fails the rule, and so nothing can be said.
    """
    found: dict[Labels, list[tuple[int, int]]] = {}
    for labels, when in runs.items():
        key = tuple(pair for pair in labels if pair[0] not in alert.labels)
        if key in found:
            raise CannotJudge("two series differ only in labels that the alert itself sets")
        found[key] = when
    return found
