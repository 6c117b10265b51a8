"""`obs lint`: judge specs, rules, dashboards, routes and runbooks, whoever wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from obs.lint.problem import Problem


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "github"]), default="text", show_default=True
)
def command(paths: tuple[Path, ...], format_: str) -> int:
    """Judge specs, rules, dashboards, routes and runbooks.

    PATH is a file or a directory; what a file is, its content says. Files that obs did not write are as
    welcome as its own.

    \b
    Exit codes: 0 clean, 1 problems, 2 usage, 3 the server asked for does not answer.

    \b
    Example:
      obs lint alerts dashboards runbooks
    """
    from obs.lint import report, run

    found = run.lint(paths)
    if format_ == "json":
        click.echo(json.dumps([_data(problem) for problem in found.problems], indent=2))
    else:
        for paragraph in report.console(found.problems, found.sources):
            click.echo(paragraph)
    return 1 if found.problems else 0


def _data(problem: Problem) -> dict[str, object]:
    return {
        "check": problem.check,
        "severity": problem.severity,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "length": problem.length,
        "message": problem.message,
        "hint": problem.hint,
        "fixable": problem.fix is not None,
    }
