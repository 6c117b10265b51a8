"""`obs lint --coverage`: the table of figures, what is missing, and whether the minimum is reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

from obs.errors import ConfigError, suggest

if TYPE_CHECKING:
    from obs.lint.coverage import Figure
    from obs.lint.project import Project

#: Stands for every kind that was measured.
_ALL = ""
#: Lines about what is missing, of one kind; JSON has them all.
_SHOWN = 20


def tell(project: Project, minimums: Sequence[str], format_: str) -> int:
    """Print the coverage of a project; return 1 when a figure is below what was asked.

    Raises `ConfigError` for a minimum that cannot be understood, and where there is nothing to measure.
    """
    from obs.lint import coverage

    wanted = _minimums(minimums, coverage.KINDS)
    figures = coverage.measure(project)
    if all(figure.unmeasured for figure in figures):
        raise ConfigError(
            "no alert, runbook or dashboard here to measure",
            hint="obs lint alerts runbooks dashboards --coverage",
        )
    below = [figure for figure in figures if not _reached(figure, wanted)]
    if format_ == "json":
        data = {
            "coverage": {figure.kind: _data(figure) for figure in figures},
            "below": [one.kind for one in below],
        }
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        _table(figures)
    for figure in below:
        click.echo(
            f"below the minimum: {figure.kind} {_percent(figure)}, asked {_asked(figure, wanted)} %", err=True
        )
    return 1 if below else 0


def _minimums(texts: Sequence[str], kinds: Sequence[str]) -> dict[str, Decimal]:
    chosen: dict[str, Decimal] = {}
    for text in texts:
        kind, equals, figure = text.rpartition("=")
        if equals and kind not in kinds:
            hint = suggest(kind, kinds) or f"known: {', '.join(kinds)}"
            raise ConfigError(f"--min-coverage: there is no kind {kind!r}", hint=hint)
        try:
            percent = Decimal(figure.removesuffix("%"))
        except InvalidOperation:
            percent = Decimal(-1)
        if not 0 <= percent <= 100:
            raise ConfigError(f"--min-coverage: got {text!r}, expected a percentage such as 100 or tests=100")
        chosen[kind if equals else _ALL] = percent
    return chosen


def _asked(figure: Figure, wanted: Mapping[str, Decimal]) -> Decimal:
    return wanted.get(figure.kind, wanted.get(_ALL, Decimal(0)))


def _reached(figure: Figure, wanted: Mapping[str, Decimal]) -> bool:
    # A minimum for all holds for what was measured; one for a kind wants it measured.
    if figure.unmeasured and figure.kind not in wanted:
        return True
    return not wanted or figure.reaches(_asked(figure, wanted))


def _table(figures: Sequence[Figure]) -> None:
    width = max(len(figure.kind) for figure in figures)
    for figure in figures:
        if figure.unmeasured:
            click.echo(f"{figure.kind:{width}}       -          -   not measured: {figure.unmeasured}")
            continue
        head = f"{figure.kind:{width}}  {_percent(figure):>8}  {figure.covered:>4} of {figure.total:<4} "
        click.echo(f"{head}{figure.counts}")
        if figure.note:
            click.echo(f"{' ' * len(head)}({figure.note})")
    for figure in figures:
        for one in figure.missing[:_SHOWN]:
            click.echo(f"{one.place}: {figure.kind}: {one.name}: {one.why}")
        if len(figure.missing) > _SHOWN:
            click.echo(f"... {figure.kind}: {len(figure.missing) - _SHOWN} more, --format json has them all")


def _percent(figure: Figure) -> str:
    return "not measured" if figure.unmeasured else f"{figure.percent.normalize():f} %"


def _data(figure: Figure) -> dict[str, object]:
    return {
        "counts": figure.counts,
        "measured": not figure.unmeasured,
        "unmeasured": figure.unmeasured,
        "total": figure.total,
        "covered": figure.covered,
        "percent": None if figure.unmeasured else float(figure.percent),
        "note": figure.note,
        "missing": [
            {
                "name": one.name,
                "file": one.place.file,
                "line": one.place.line,
                "column": one.place.column,
                "why": one.why,
            }
            for one in figure.missing
        ],
    }
