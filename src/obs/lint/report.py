"""Problems for people, for machines, and for the checks of a code host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len

from obs.lint.problem import SEVERITIES, Problem, Severity
from obs.lint.run import Report
from obs.lint.source import Source

#: Columns of a terminal; of a longer line what stands around the place is shown.
_WIDTH = 120
#: Characters of a line that are shown however narrow the terminal.
_LEAST = 40
_GITHUB = {"error": "error", "warning": "warning", "info": "notice"}


def console(problems: Sequence[Problem], sources: Mapping[str, Source], width: int = _WIDTH) -> Iterator[str]:
    """Yield one paragraph a problem: the sentence, the line it is about, carets under the place.

    Lines of files fit into `width` columns; sentences are left to the terminal to break.
    """
    for problem in problems:
        source = None if problem.secret else sources.get(problem.place.file)
        yield "\n".join(_lines(problem, source, width))


def github(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield one workflow command a problem, which GitHub shows beside the line."""
    for problem in problems:
        place = problem.place
        text = problem.message + (f"\n{problem.hint}" if problem.hint else "")
        yield (
            f"::{_GITHUB[problem.severity]} file={_property(place.file)},line={place.line},col={place.column},"
            f"endColumn={place.column + problem.length},title={problem.check}::{_data(text)}"
        )


def data(report: Report) -> dict[str, object]:
    """Return the report as plain data."""
    return {
        "problems": [_problem(problem) for problem in report.problems],
        "files": len(report.sources),
        "silenced": len(report.silenced),
        "known": len(report.known),
        "contract": report.project.contract is not None,
    }


def summary(report: Report) -> str:
    """Return one line that says how much was looked at and found."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for problem in report.problems:
        counts[problem.severity] += 1
    words = [_counted(count, severity) for severity, count in counts.items() if count]
    files = len(report.sources)
    parts = [f"{files} file{'' if files == 1 else 's'}", ", ".join(words) or "no problems"]
    if report.silenced:
        parts.append(f"{len(report.silenced)} silenced")
    if report.known:
        parts.append(f"{len(report.known)} known to the baseline")
    fixable = sum(problem.fix is not None for problem in report.problems)
    if fixable:
        parts.append(f"{fixable} that --fix repairs")
    return "; ".join(parts)


def _counted(count: int, severity: Severity) -> str:
    if severity == "info":
        return f"{count} note{'' if count == 1 else 's'}"
    return f"{count} {severity}{'' if count == 1 else 's'}"


def _lines(problem: Problem, source: Source | None, width: int) -> Iterator[str]:
    yield f"{problem.place}: {problem.severity}: {problem.message} [{problem.check}]"
    if source is not None and (line := source.line(problem.place.line)).strip():
        margin = f"{problem.place.line:>6} | "
        room = max(_LEAST, width - len(margin))
        shown, column = _around(_printable(line), problem.place.column - 1, room)
        yield f"{margin}{shown}"
        # Terminals give some characters two columns, and others none.
        before, under = cell_len(shown[:column]), cell_len(shown[column : column + problem.length])
        yield f"{' ' * (len(margin) - 2)}| {' ' * before}{'^' * max(1, under)}"
    if problem.hint:
        yield f"  hint: {problem.hint}"
    if problem.fix:
        yield f"  fix: {problem.fix.says} (--fix)"


def _around(line: str, column: int, room: int) -> tuple[str, int]:
    """Return what is shown of a line that is longer than its room, and where the column is in it."""
    if cell_len(line) <= room:
        return line, min(column, len(line))
    start = max(0, min(column - room // 3, len(line) - room))
    end = start + room
    # Where characters are wider than one column there is room for fewer.
    while cell_len(line[start:end]) > room:
        if column - start > end - column:
            start += 1
        else:
            end -= 1
    return line[start:end], column - start


def _printable(line: str) -> str:
    """Return a line without what would move a terminal's cursor: tabs, escapes."""
    return "".join(letter if letter.isprintable() or letter == "\u200d" else " " for letter in line)


def _problem(problem: Problem) -> dict[str, object]:
    return {
        "check": problem.check,
        "severity": problem.severity,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "length": problem.length,
        "message": problem.message,
        "hint": problem.hint,
        "fix": problem.fix.says if problem.fix is not None else None,
    }


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
