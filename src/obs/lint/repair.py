"""Applies the fixes of problems: spans of text are replaced, all else stays as it was written.

Repairing is repeated until nothing is left to repair, because one fix may make room for another. A file
that a fix would leave broken is put back as it was.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from obs.errors import ObsError
from obs.lint.problem import Edit, Fix, Problem
from obs.lint.run import Report

#: More rounds than any file needs; two fixes that undo one another must come to an end.
_ROUNDS = 10
_BROKEN = frozenset({"broken-yaml", "broken-promql", "broken-rule"})


@dataclass(frozen=True)
class Repaired:
    """What repairing came to; `after` holds the files that changed."""

    report: Report
    before: Mapping[str, str]
    after: Mapping[str, str]
    fixes: int


def repair(lint: Callable[[Mapping[str, str]], Report]) -> Repaired:
    """Return the texts with every safe fix applied; `lint` judges with texts in place of files."""
    texts: dict[str, str] = {}
    report = lint(texts)
    before = {file: source.text for file, source in report.sources.items()}
    given_up: set[str] = set()
    fixes = 0
    for _ in range(_ROUNDS):
        changed = {file: new for file, new in _round(report).items() if file not in given_up}
        if not changed:
            break
        tried = lint({**texts, **{file: text for file, (text, _) in changed.items()}})
        for file, (text, count) in changed.items():
            if _breaks(tried, file) > _breaks(report, file):
                given_up.add(file)
            else:
                texts[file] = text
                fixes += count
        report = lint(texts)
    after = {file: text for file, text in texts.items() if text != before[file]}
    return Repaired(report, before, after, fixes)


def applied(text: str, fixes: list[Fix]) -> tuple[str, int]:
    """Return `text` with as many of `fixes` as do not touch one another, and how many those were."""
    edits: list[Edit] = []
    count = 0
    for fix in fixes:
        if any(_overlap(one, other) for one in fix.edits for other in edits):
            continue
        edits += fix.edits
        count += 1
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text, count


def diff(repaired: Repaired) -> str:
    """Return the unified diff of every file that changed."""
    lines: list[str] = []
    for file in sorted(repaired.after):
        lines += difflib.unified_diff(
            repaired.before[file].splitlines(keepends=True),
            repaired.after[file].splitlines(keepends=True),
            f"a/{file}",
            f"b/{file}",
        )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def write(repaired: Repaired) -> None:
    """Replace each file that changed, atomically; raise `ObsError` when one cannot be written."""
    for file, text in repaired.after.items():
        _replace(Path(file), text)


def _round(report: Report) -> dict[str, tuple[str, int]]:
    by_file: dict[str, list[Problem]] = {}
    for problem in report.problems:
        if problem.fix is not None:
            by_file.setdefault(problem.place.file, []).append(problem)
    return {
        file: applied(report.sources[file].text, [one.fix for one in problems if one.fix is not None])
        for file, problems in by_file.items()
    }


def _breaks(report: Report, file: str) -> int:
    return sum(problem.check in _BROKEN for problem in report.problems if problem.place.file == file)


def _overlap(one: Edit, other: Edit) -> bool:
    return one.start <= other.end and other.start <= one.end


def _replace(file: Path, text: str) -> None:
    try:
        _replace_bytes(file, text)
    except OSError as error:
        raise ObsError(f"cannot write: {error.strerror}", str(file)) from None


def _replace_bytes(file: Path, text: str) -> None:
    data = file.read_bytes()
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    mode = file.stat().st_mode & 0o777
    target = file.resolve()
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(mark + text.encode())
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
