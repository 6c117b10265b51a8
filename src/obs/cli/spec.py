"""`obs spec`: service specs, judged before anything is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from obs.generate.checking import Mistake, Report


@click.group()
def command() -> None:
    """Start, import and check service specs.

    \b
    Example:
      obs spec init --metrics-url http://127.0.0.1:8000/metrics --out specs/shop.yml
      obs spec check specs/shop.yml
    """


@command.command()
@click.argument("specs", metavar="SPEC...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(specs: tuple[Path, ...], format_: str) -> int:
    """Tell every mistake of specs and of all their environments at once.

    SPEC is a file, or a directory whose *.yml files are specs (defaults.yml only serves `extends`).

    \b
    Exit codes: 0 clean, 2 broken spec.

    \b
    Example:
      obs spec check specs/shop
    """
    from obs.generate import checking

    report = checking.check(specs)
    if format_ == "json":
        click.echo(json.dumps(_data(report), indent=2))
    else:
        for mistake in report.mistakes:
            click.echo(_line(mistake))
        for alert in report.skipped:
            click.echo(f"{alert.place}: {alert.service} has no {alert.alert}: {alert.reason}", err=True)
    click.echo(_summary(report), err=True)
    return 2 if report.mistakes else 0


@command.command()
@click.option("--partial", is_flag=True, help="For files that others extend: nothing is required.")
def schema(*, partial: bool) -> None:
    """Print the JSON Schema of a spec, by which editors complete and check it.

    \b
    Name it in the first line of a spec:
      # yaml-language-server: $schema=spec.schema.json

    \b
    Example:
      obs spec schema > specs/spec.schema.json
    """
    from obs.generate.derive import rules
    from obs.generate.spec import schema as form

    click.echo(form.dumps(form.derive(sorted(rules.alert_names()), partial=partial)), nl=False)


def _line(mistake: Mistake) -> str:
    error = mistake.error
    place = f"{error.where}: " if error.where else ""
    within = f" (in {', '.join(mistake.environments)})" if mistake.environments else ""
    hint = f"\n  hint: {error.hint}" if error.hint else ""
    return f"{place}{error.message}{within}{hint}"


def _data(report: Report) -> dict[str, object]:
    return {
        "specs": report.specs,
        "services": sorted(set(report.services)),
        "environments": sorted(report.environments),
        "mistakes": [
            {
                "where": one.error.where,
                "message": one.error.message,
                "hint": one.error.hint,
                "environments": list(one.environments),
            }
            for one in report.mistakes
        ],
        "skipped": [
            {"service": one.service, "alert": one.alert, "reason": one.reason, "spec": str(one.place)}
            for one in report.skipped
        ],
    }


def _summary(report: Report) -> str:
    mistakes = len(report.mistakes)
    return (
        f"{_count(report.specs, 'spec')}, {_count(len(report.environments), 'environment')}: "
        f"{_count(mistakes, 'mistake') if mistakes else 'no mistake'}"
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
