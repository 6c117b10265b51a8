"""Comments that switch checks off where they stand, and what is wrong with such comments.

In YAML ``# obs-lint: disable=ID reason``, ``# obs-lint: snooze=ID until=2026-12-01 reason`` or
``# obs-lint: disable-file=ID reason``; several ids are joined by commas. In Markdown the same inside
``<!-- -->``. At the end of a line it holds for that line, on a line of its own for the entry or
paragraph that follows, with everything that is indented deeper.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from obs.errors import suggest
from obs.lint.check import Finding
from obs.lint.problem import Problem
from obs.lint.source import Source, Span

_MARK = "obs-lint:"
_YAML = re.compile(r"(?:^|(?<=\s))#\s*obs-lint:(?P<words>.*)$")
_MARKDOWN = re.compile(r"<!--\s*obs-lint:(?P<words>.*?)-->")
_WORDS = re.compile(
    r"\s*(?P<verb>disable-file|disable|snooze)=(?P<ids>[\w,-]+)(?:\s+until=(?P<until>\S+))?\s*(?P<reason>.*?)\s*\Z"
)


@dataclass(slots=True)
class Silence:
    """One comment that could be understood."""

    span: Span
    ids: tuple[str, ...]
    #: Lines it covers, both included.
    first: int
    last: int
    until: dt.date | None = None
    #: Those of its ids that hid something.
    used: set[str] = field(default_factory=set)

    def hides(self, problem: Problem, today: dt.date) -> bool:
        """Tell whether `problem` stands where this comment covers its check, and remember that it did."""
        if problem.check not in self.ids or not self.first <= problem.place.line <= self.last:
            return False
        self.used.add(problem.check)
        return not self.expired(today)

    def expired(self, today: dt.date) -> bool:
        """Tell whether its day has passed."""
        return self.until is not None and self.until < today


def read(source: Source, known: Collection[str]) -> Iterator[Silence | Finding]:
    """Yield the silences of a file, and a finding for each comment that cannot be understood."""
    if _MARK not in source.text:
        return
    form = _MARKDOWN if source.file.endswith(".md") else _YAML
    for number in range(1, source.lines + 1):
        line = source.line(number)
        match = form.search(line) if _MARK in line else None
        if match is not None:
            start = source.line_start(number) + match.start()
            span = source.span(start, start + len(match.group().rstrip()))
            yield _understood(span, match["words"], known, _scope(source, number, line, match.start()))


def hidden(
    problems: Iterable[Problem], silences: Iterable[Silence], today: dt.date
) -> tuple[list[Problem], list[Problem]]:
    """Return the problems that remain, and those that a silence hides."""
    by_file: dict[str, list[Silence]] = {}
    for silence in silences:
        by_file.setdefault(silence.span.source.file, []).append(silence)
    remaining: list[Problem] = []
    silenced: list[Problem] = []
    for problem in problems:
        # Each is asked, so that each knows that it was of use.
        answers = [silence.hides(problem, today) for silence in by_file.get(problem.place.file, ())]
        (silenced if any(answers) else remaining).append(problem)
    return remaining, silenced


def complaints(
    silences: Iterable[Silence], today: dt.date, ran: Collection[str]
) -> Iterator[tuple[str, Finding]]:
    """Yield (check, finding) for silences that have expired or hide nothing; `ran` are the checks that ran."""
    for silence in silences:
        if silence.expired(today):
            message = f"snoozed until {silence.until}, which has passed"
            yield "silence-expired", Finding(silence.span, message, "repair what it hides, or say a new date")
            continue
        for id_ in silence.ids:
            if id_ in ran and id_ not in silence.used:
                yield "silence-unused", Finding(silence.span, f"hides no {id_}", "remove it")


def _understood(span: Span, words: str, known: Collection[str], scope: tuple[int, int]) -> Silence | Finding:
    match = _WORDS.match(words)
    if match is None:
        hint = "# obs-lint: disable=ID reason, or snooze=ID until=2026-12-01 reason"
        return Finding(span, f"cannot be understood: {words.strip()!r}", hint)
    ids = tuple(filter(None, match["ids"].split(",")))
    for id_ in ids:
        if id_ not in known:
            return Finding(span, f"there is no check {id_!r}", suggest(id_, known) or "obs lint --list")
    until = None
    if match["verb"] == "snooze":
        until = _date(match["until"] or "")
        if until is None:
            return Finding(span, f"snooze={match['ids']}: until which day?", "until=2026-12-01")
    elif match["until"]:
        return Finding(span, "only a snooze has an end", f"snooze={match['ids']} until={match['until']}")
    if not match["reason"]:
        return Finding(span, f"{match['verb']}={match['ids']} gives no reason", "say why, after the id")
    first, last = (1, span.source.lines) if match["verb"] == "disable-file" else scope
    return Silence(span, ids, first, last, until)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _scope(source: Source, number: int, line: str, column: int) -> tuple[int, int]:
    """Return the first and the last line that a comment at `column` of line `number` covers."""
    if line[:column].strip(" -"):
        return number, number
    following = number + 1
    while following <= source.lines and _passed_over(source.line(following)):
        following += 1
    if source.file.endswith(".md"):
        last = following
        while last < source.lines and source.line(last + 1).strip():
            last += 1
        return following, last
    indent = _indent(source.line(following))
    last = following
    for after in range(following + 1, source.lines + 1):
        text = source.line(after)
        if text.strip() and _indent(text) <= indent:
            break
        last = after
    return following, last


def _passed_over(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith(("#", "<!--"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
