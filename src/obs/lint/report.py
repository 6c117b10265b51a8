"""Problems for people: the sentence, the line it is about, and carets under the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from obs.lint.problem import Problem
from obs.lint.source import Source

#: A line longer than this is shown around the place only.
_WIDTH = 110


def console(problems: Sequence[Problem], sources: Mapping[str, Source]) -> Iterator[str]:
    """Yield one paragraph a problem."""
    for problem in problems:
        yield "\n".join(_lines(problem, sources.get(problem.place.file)))


def _lines(problem: Problem, source: Source | None) -> Iterator[str]:
    yield f"{problem.place}: {problem.severity}: {problem.message} [{problem.check}]"
    if source is not None and (line := source.line(problem.place.line)).strip():
        shown, column = _around(line.replace("\t", " "), problem.place.column - 1)
        margin = f"{problem.place.line:>6} | "
        yield f"{margin}{shown}"
        length = max(1, min(problem.length, len(shown) - column))
        yield f"{' ' * (len(margin) - 2)}| {' ' * column}{'^' * length}"
    if problem.hint:
        yield f"  hint: {problem.hint}"
    if problem.fix:
        yield f"  fix: {problem.fix.says} (obs lint --fix)"


def _around(line: str, column: int) -> tuple[str, int]:
    """Return what is shown of a long line, and where the column is in it."""
    if len(line) <= _WIDTH:
        return line, min(column, len(line))
    start = max(0, min(column - _WIDTH // 3, len(line) - _WIDTH))
    return line[start : start + _WIDTH], column - start
