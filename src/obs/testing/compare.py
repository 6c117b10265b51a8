"""Compare what was expected with what was captured, and say it so that the mistake is seen."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Candidates that a failure shows.
_SHOWN = 3
_VALUE_LIMIT = 120
_ABSENT = object()


@dataclass(frozen=True)
class Candidate:
    """Something captured that an assertion may have meant."""

    #: Where the test finds it, such as ``logs[2]``.
    place: str
    title: str
    fields: Mapping[str, Any]


def matches(expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Tell whether `found` has every expected field with an equal value."""
    return all(_equal(value, found.get(name, _ABSENT)) for name, value in expected.items())


def failure(
    sentence: str,
    candidates: Sequence[Candidate],
    wanted: str,
    expected: Mapping[str, Any],
    told: tuple[str, str],
) -> str:
    """Return the message of a failed assertion: what was wanted and the nearest that there was.

    `told` says what happened to a candidate and to several: "span has ended", "spans have ended".
    """
    if not candidates:
        return f"{sentence}\n  no {told[0]}"
    ranked = sorted(candidates, key=lambda item: -_likeness(item, wanted, expected))
    count = f"1 {told[0]}" if len(ranked) == 1 else f"{len(ranked)} {told[1]}, nearest first"
    lines = [sentence, f"  {count}:"]
    for candidate in ranked[:_SHOWN]:
        lines += ["", f"  {candidate.place}  {candidate.title}"]
        lines += [f"    {line}" for line in difference(expected, candidate.fields)]
    if len(ranked) > _SHOWN:
        lines += ["", f"  ... and {len(ranked) - _SHOWN} more"]
    return "\n".join(lines)


def difference(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return a line for each expected field that `found` has otherwise or not at all."""
    wrong = [name for name, value in expected.items() if not _equal(value, found.get(name, _ABSENT))]
    if not wrong:
        return ["as expected otherwise"] if expected else []
    width = max(len(name) for name in wrong)
    return [_line(name, width, expected[name], found) for name in wrong]


def _line(name: str, width: int, value: Any, found: Mapping[str, Any]) -> str:
    start = f"{name:<{width}}  expected {show(value)}, "
    if name in found:
        return f"{start}got {show(found[name])}"
    near = difflib.get_close_matches(name, list(found), n=1, cutoff=0.6)
    return f"{start}not there" + (f" (there is {near[0]!r}: {show(found[near[0]])})" if near else "")


def show(value: Any) -> str:
    """Return a value as a message shows it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _VALUE_LIMIT else f"{text[: _VALUE_LIMIT - 3]}..."


def plural(number: int, what: str) -> str:
    """Return a number and its noun."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _equal(expected: Any, found: Any) -> bool:
    if found is _ABSENT:
        return False
    try:
        # The expected one first: `ANY` and `approx` know how to compare themselves.
        return bool(expected == found)
    except Exception:
        return False


def _likeness(candidate: Candidate, wanted: str, expected: Mapping[str, Any]) -> float:
    alike = difflib.SequenceMatcher(None, wanted, candidate.title).ratio()
    right = sum(_equal(value, candidate.fields.get(name, _ABSENT)) for name, value in expected.items())
    return 2 * alike + right / max(1, len(expected))
