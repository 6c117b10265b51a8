"""A problem as data: what is wrong, where, how bad, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from obs.generate.model import Place

if TYPE_CHECKING:
    from obs.lint.source import Source

Severity: TypeAlias = Literal["error", "warning", "info"]
#: From the worst.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from `start` to `end` of a file by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A safe repair of the file that the problem is in; `says` is an imperative: ``move it under labels``."""

    says: str
    edits: tuple[Edit, ...]

    def inside(self, source: Source) -> Fix | None:
        """Return the same repair of the file that `source` stands in; None where that cannot be written."""
        edits = []
        for edit in self.edits:
            start, end = source.written_at(edit.start), source.written_at(edit.end)
            text = source.indented(edit.text)
            if start is None or end is None or text is None:
                return None
            edits.append(Edit(start, end, text))
        return Fix(self.says, tuple(edits))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, as every reporter and the baseline see it."""

    check: str
    severity: Severity
    place: Place
    message: str
    hint: str | None = None
    #: Characters to underline from the place on.
    length: int = 1
    fix: Fix | None = None
    #: Its line holds a secret, which no reporter may repeat.
    secret: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key: by place, then by check."""
        return (self.place, self.check, self.message)
