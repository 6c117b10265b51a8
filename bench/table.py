"""A benchmark's table: one row a figure, with its target and whether it was met."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

HEAD = ("what", "figure", "ratio", "target", "")


@dataclass(frozen=True)
class Row:
    """One figure; `met` is None where nothing was promised."""

    what: str
    figure: str
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        verdict = {None: "", True: "met", False: "NOT met"}[self.met]
        return (self.what, self.figure, self.ratio, self.target, verdict)


@dataclass(frozen=True)
class Table:
    """The rows of one script; `note` says what the ratios are to."""

    title: str
    note: str
    rows: Sequence[Row] = field(default_factory=tuple)

    def text(self) -> str:
        lines = [HEAD, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
        body = "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )
        return f"{self.title}\n({self.note})\n\n{body}\n"

    def markdown(self) -> str:
        lines = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in self.rows)]
        body = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
        return f"### {self.title}\n\n{self.note[0].upper()}{self.note[1:]}.\n\n{body}\n"

    def json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def parse(text: str) -> Table:
        data = json.loads(text)
        return Table(data["title"], data["note"], [Row(**row) for row in data["rows"]])


def at_most(what: str, figure: str, ratio: float, limit: float, of: str) -> Row:
    """Return a row whose `ratio` to `of` is promised to be no more than `limit`."""
    return Row(what, figure, f"{ratio:.2f} x {of}", f"<= {limit:.2f} x", ratio <= limit)


def beside(what: str, figure: str, ratio: float, of: str) -> Row:
    """Return a row with a `ratio` to `of` about which nothing is promised."""
    return Row(what, figure, f"{ratio:.2f} x {of}")


def exactly(what: str, got: int, of: int, wanted: int) -> Row:
    """Return a row that counts `got` of `of`, promised to be `wanted`."""
    return Row(what, f"{got} of {of}", "", f"{wanted} of {of}", got == wanted)
