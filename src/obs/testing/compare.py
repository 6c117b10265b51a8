"""Compare what was expected with what was captured, and say it so that the mistake is seen."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Candidates that a failure shows.
_SHOWN = 3
_VALUE_LIMIT = 120
#: Characters shown before the first difference of two long texts.
_BEFORE = 30
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
    wrong = list(_wrong("", expected, found))
    if not wrong:
        return ["as expected otherwise"] if expected else []
    width = max(len(name) for name, _ in wrong)
    return [f"{name:<{width}}  {what}" for name, what in wrong]


def _wrong(place: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and difference of each wrong field, of nested mappings each field of its own."""
    for name, value in expected.items():
        got = found.get(name, _ABSENT)
        if _equal(value, got):
            continue
        if isinstance(value, Mapping) and isinstance(got, Mapping):
            yield from _wrong(f"{place}{name}.", value, got)
            more = ((key, item) for key, item in got.items() if key not in value)
            yield from ((f"{place}{name}.{key}", f"not expected, got {show(item)}") for key, item in more)
        elif got is _ABSENT:
            yield f"{place}{name}", f"expected {show(value)}, not there{_near(name, found)}"
        else:
            skipped = _alike(value, got)
            yield f"{place}{name}", f"expected {show(value, skipped)}, got {show(got, skipped)}"


def _near(name: str, found: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(found), n=1, cutoff=0.6)
    return f" (there is {near[0]!r}: {show(found[near[0]])})" if near else ""


def _alike(expected: Any, found: Any) -> int:
    """Return how many characters at the start of two long texts need not be shown: they are alike."""
    if not isinstance(expected, str) or not isinstance(found, str) or len(found) <= _VALUE_LIMIT:
        return 0
    same = next(
        (at for at, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]), None
    )
    return max(0, (min(len(expected), len(found)) if same is None else same) - _BEFORE)


def show(value: Any, skipped: int = 0) -> str:
    """Return a value as a message shows it, cut where it is long, without its first `skipped` characters."""
    text = f"...{value[skipped:]!r}" if skipped else repr(value)
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
