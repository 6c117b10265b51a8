"""All questions of a backtest at once: each asked once, in chunks, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from obs.verify.backtest.history import MAX_POINTS, History, Part
from obs.verify.backtest.moments import Columns, Grid, Labels, runs_of
from obs.verify.query_api import Refused

#: Values that the answer to one question may hold: 32 bytes each.
_MAX_VALUES = 10_000_000


class CannotJudge(Exception):
    """What an expression yields cannot be told; the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """An expression, and the instants at which it is evaluated."""

    text: str
    grid: Grid
    #: Only when there are values is wanted, not what they are: thousands of series fit.
    presence: bool = False

    @property
    def queries(self) -> int:
        """How many queries it takes."""
        return -(-self.grid.count // MAX_POINTS)


@dataclass(slots=True)
class Answers:
    """What the server said."""

    _runs: dict[Question, dict[Labels, list[tuple[int, int]]]] = field(default_factory=dict)
    _columns: dict[Question, Columns] = field(default_factory=dict)
    _refused: dict[Question, str] = field(default_factory=dict)

    def runs(self, question: Question) -> dict[Labels, list[tuple[int, int]]]:
        """Return when each series is there. Raises `CannotJudge` for what the server refused."""
        self._look(question)
        return self._runs[question]

    def columns(self, question: Question) -> Columns:
        """Return the values of each series. Raises `CannotJudge` for what the server refused."""
        self._look(question)
        return self._columns[question]

    def _look(self, question: Question) -> None:
        if question in self._refused:
            raise CannotJudge(self._refused[question])

    def take(self, question: Question, chunks: Sequence[list[Part] | Refused]) -> None:
        """Keep the answer to a question, given by its chunks in order."""
        for chunk in chunks:
            if isinstance(chunk, Refused):
                self._refused[question] = str(chunk)
                return
        try:
            if question.presence:
                self._runs[question] = _runs(chunks)
            else:
                self._columns[question] = _columns(chunks, question.grid)
        except CannotJudge as reason:
            self._refused[question] = str(reason)


def ask(
    history: History, questions: Iterable[Question], *, parallel: int, report: Callable[[], object]
) -> Answers:
    """Ask everything, `parallel` queries at a time; `report` is called after each query.

    Raises `VerifyError` when the server is absent; a query that it refuses is kept as refused.
    """
    answers = Answers()
    with ThreadPoolExecutor(parallel, thread_name_prefix="obs-backtest") as pool:
        waiting: list[tuple[Question, list[Future[list[Part] | Refused]]]] = [
            (question, [pool.submit(_one, history, question.text, grid) for grid in _chunks(question)])
            for question in dict.fromkeys(questions)
        ]
        try:
            for question, futures in waiting:
                chunks = []
                for future in futures:
                    chunks.append(future.result())
                    report()
                answers.take(question, chunks)
                futures.clear()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return answers


def _chunks(question: Question) -> Iterable[Grid]:
    return question.grid.chunks(MAX_POINTS)


def _one(history: History, text: str, grid: Grid) -> list[Part] | Refused:
    try:
        return history.ask(text, grid)
    except Refused as refused:
        return refused


def _runs(chunks: Sequence[list[Part] | Refused]) -> dict[Labels, list[tuple[int, int]]]:
    found: dict[Labels, list[tuple[int, int]]] = {}
    for number, chunk in enumerate(chunks):
        seen: set[Labels] = set()
        for part in chunk if isinstance(chunk, list) else ():
            _once(part.labels, seen)
            runs = found.setdefault(part.labels, [])
            for first, last in runs_of(part.positions):
                start, end = first + number * MAX_POINTS, last + number * MAX_POINTS
                if runs and start == runs[-1][1] + 1:
                    runs[-1] = (runs[-1][0], end)
                else:
                    runs.append((start, end))
    return found


def _columns(chunks: Sequence[list[Part] | Refused], grid: Grid) -> Columns:
    found: Columns = {}
    for number, chunk in enumerate(chunks):
        seen: set[Labels] = set()
        for part in chunk if isinstance(chunk, list) else ():
            _once(part.labels, seen)
            if part.labels not in found and (len(found) + 1) * grid.count > _MAX_VALUES:
                raise CannotJudge(f"more than {_MAX_VALUES // grid.count} series")
            column = found.setdefault(part.labels, [None] * grid.count)
            for position, value in zip(part.positions, part.values, strict=True):
                column[number * MAX_POINTS + position] = value
    return found


def _once(labels: Labels, seen: set[Labels]) -> None:
    if labels in seen:
        raise CannotJudge("two series differ by nothing but their metric")
    seen.add(labels)
