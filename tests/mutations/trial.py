"""One mutant on trial: is its rule file another, and does a story of the table notice?"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Literal, TypeAlias

from tests.mutations import frozen
from tests.mutations.corpus import Rule, Scope, rules
from tests.mutations.judge import Judge
from tests.mutations.loading import FOLDER, derive_with, fresh, sound
from tests.mutations.sites import Mutant, mutated

#: killed: a story fails, or an alert that has stories is gone. survived: other rules, no story fails.
#: refused: the generator itself stops. unread: the statement never ran. words: the rules are the same,
#: what is told or drawn of them is not. same: nothing that is derived for the corpus is another.
Verdict: TypeAlias = Literal["killed", "survived", "refused", "unread", "words", "same"]
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant, the verdict, and what was seen."""

    mutant: Mutant
    verdict: Verdict
    seen: str = ""


class Court:
    """Tries mutants in this process, one after another."""

    def __init__(self, promtool: Path) -> None:
        self._judge = Judge(promtool, frozen.load())
        self._reached = reached_lines()

    def trial(self, mutant: Mutant) -> Trial:
        """Return what becomes of `mutant`."""
        before = _sound(Scope.of(mutant.path))
        try:
            with _limited(), derive_with(mutant.path, mutated(_text(mutant.path), mutant.number)) as derived:
                found = rules(derived, Scope.of(mutant.path))
        except Exception as stop:
            return Trial(mutant, "refused", f"{type(stop).__name__}: {stop}".splitlines()[0])
        gone = sorted(set(before) - set(found))
        if gone:
            return Trial(mutant, "killed", f"{gone[0]} is gone")
        changed = [
            rule for key, rule in found.items() if key not in before or before[key].shape != rule.shape
        ]
        if not changed:
            return Trial(mutant, self._unchanged(mutant, before, found))
        wrong = self._judge.verdict(changed)
        if wrong:
            return Trial(mutant, "killed", wrong[:200])
        return Trial(mutant, "survived", ", ".join(rule.key for rule in changed[:3]))

    def _unchanged(self, mutant: Mutant, before: dict[str, Rule], found: dict[str, Rule]) -> Verdict:
        first, last = mutant.lines
        if first and not any((mutant.path, line) in self._reached for line in range(first, last + 1)):
            return "unread"
        return "same" if all(_said(found[key]) == _said(rule) for key, rule in before.items()) else "words"


def _said(rule: Rule) -> str:
    """Return all that is derived of an alert, its stories included."""
    return repr(rule.alert)


@cache
def _sound(scope: Scope) -> dict[str, Rule]:
    return rules(sound(), scope)


@cache
def _text(path: str) -> str:
    return (FOLDER / path).read_text(encoding="utf-8")


def reached_lines() -> frozenset[tuple[str, int]]:
    """Return the lines of `derive` that run when the rules of the corpus are derived."""
    room = f"{FOLDER}/"
    found: set[tuple[str, int]] = set()

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(room):
            return None
        if event == "line":
            found.add((frame.f_code.co_filename.removeprefix(room), frame.f_lineno))
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        with fresh() as derived:
            rules(derived, Scope())
    finally:
        sys.settrace(before)
    return frozenset(found)


@contextmanager
def _limited() -> Iterator[None]:
    """Raise `TimeoutError` where a mutant does not come to an end; in the main thread of a process."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
