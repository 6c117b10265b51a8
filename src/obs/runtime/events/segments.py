"""Runs of lines of one chain that stand one after the other in one file, and what is between them.

A chain is remembered as its runs and not as its lines, so that the memory a check takes grows with
what is wrong and not with what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A line of a file; `order` is the position of the file among those given."""

    file: str
    line: int
    order: int = 0

    def __str__(self) -> str:
        """Return it as people and editors write it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where."""

    id: str
    place: Place | None
    message: str
    chain_id: str
    sequence: int | None = None

    def __str__(self) -> str:
        """Return it as a line for people."""
        return f"{self.place}: {self.message}" if self.place is not None else self.message

    def as_data(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "id": self.id,
            "file": self.place.file if self.place is not None else None,
            "line": self.place.line if self.place is not None else None,
            "message": self.message,
            "chain_id": self.chain_id,
            "sequence": self.sequence,
        }


@dataclass
class Segment:
    """Lines of one chain, each the successor of the one before it."""

    first: int
    last: int
    #: What the first line says of the one before it, and the digest of the last line.
    previous: str
    head: str
    begins: Place
    ends: Place
    #: Events that the first line says were never written before it.
    lost: int = 0

    def extend(self, head: str, place: Place) -> None:
        """Take in the next line."""
        self.last += 1
        self.head, self.ends = head, place


def between(chain: str, segments: list[Segment]) -> Iterator[Problem]:
    """Yield what is missing, twice, replaced or in another order, in the order of the numbers."""
    ordered = sorted(segments, key=lambda item: (item.first, item.begins.order, item.begins.line))
    before = ordered[0]
    if before.first > 0:
        yield Problem(
            "cut-start",
            before.begins,
            f"chain {chain} begins at number {before.first} here: {_lines(0, before.first - 1)} "
            "in none of the files",
            chain,
            before.first,
        )
    for segment in ordered[1:]:
        if segment.first <= before.last:
            yield _twice(chain, before, segment)
            if segment.last <= before.last:
                continue
        elif segment.first > before.last + 1:
            yield _missing(chain, before, segment)
        elif segment.previous != before.head:
            yield Problem(
                "replaced",
                segment.begins,
                f"number {segment.first} of chain {chain} does not follow {before.ends}: one of the two was replaced",
                chain,
                segment.first,
            )
        elif _is_earlier(segment.begins, before.ends):
            yield Problem(
                "reordered",
                segment.begins,
                f"number {segment.first} of chain {chain} stands before number {before.last}, "
                f"which is at {before.ends}",
                chain,
                segment.first,
            )
        before = segment


def _is_earlier(place: Place, other: Place) -> bool:
    # The order in which files are given says nothing about the order in which they were written.
    return place.order == other.order and place.line < other.line


def _twice(chain: str, before: Segment, segment: Segment) -> Problem:
    last = min(segment.last, before.last)
    return Problem(
        "duplicate",
        segment.begins,
        f"chain {chain}: {_lines(segment.first, last)} here again, after the lines "
        f"{before.begins} to {before.ends}",
        chain,
        segment.first,
    )


def _missing(chain: str, before: Segment, segment: Segment) -> Problem:
    first, last = before.last + 1, segment.first - 1
    gap = f"chain {chain}: {_lines(first, last)} missing after {before.ends}"
    if segment.lost >= last - first + 1:
        return Problem(
            "lost",
            segment.begins,
            f"{gap}: the process itself says here that it could not write them",
            chain,
            first,
        )
    return Problem("missing", segment.begins, gap, chain, first)


def _lines(first: int, last: int) -> str:
    return f"number {first} is" if first == last else f"numbers {first} to {last} are"
