"""`obs generate`: specs in; dashboards, rules, tests, routes and runbooks out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.cli.collecting import no_collecting
from obs.cli.service_progress import ServiceProgress
from obs.errors import ConfigError

if TYPE_CHECKING:
    from obs.generate.pipeline import Changes, Plan


@click.command()
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="this directory",
    help="Directory of alerts/, dashboards/ and runbooks/; SPEC... are the whole of it.",
)
@click.option("--environment", metavar="NAME", help="Lay this environment's overlay upon each spec.")
@click.option(
    "--link",
    "links",
    metavar="NAME=URL",
    multiple=True,
    help="Replace a link of the specs: runbooks, grafana, prometheus, alertmanager or webhook.",
)
@click.option(
    "--only",
    metavar="WHAT",
    multiple=True,
    help="A kind (dashboards, rules, tests, logs, routes, runbooks, kubernetes), a service, or a path or "
    "pattern under OUT; several of one sort add up, different sorts narrow down.",
)
@click.option(
    "--prune",
    is_flag=True,
    help="Remove the files of services that no SPEC names, too; without it nothing is written then.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when OUT is not what the specs say.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; print what would change.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(  # noqa: PLR0917 - click passes by name
    specs: tuple[Path, ...],
    out: Path,
    environment: str | None,
    links: tuple[str, ...],
    only: tuple[str, ...],
    prune: bool,
    check: bool,
    show_diff: bool,
    format_: str,
) -> int:
    """Generate dashboards, rules, tests, routes and runbooks.

    SPEC is a file, or a directory whose *.yml files are specs (defaults.yml only serves `extends`).
    All specs of OUT are given together: a generated file that none of them produces any more is
    removed, that of a service which none of them names only with --prune. A runbook keeps what
    people have written between its generated parts.

    \b
    Exit codes: 0 clean or written, 1 drift (--check, --diff), 2 broken spec, 3 OUT cannot be read
    or written.

    \b
    Example:
      obs generate specs/shop --out . --check
    """
    click.get_current_context().with_resource(no_collecting())
    from obs.generate import pipeline

    with ServiceProgress() as progress:
        plan = pipeline.prepare(
            specs, environment=environment, links=_links(links), only=only, report=progress.show
        )
    for alert in plan.skipped:
        click.echo(f"{alert.place}: {alert.service} has no {alert.alert}: {alert.reason}", err=True)
    if show_diff:
        text = pipeline.diff(plan.artefacts, out, plan.has_orphan)
        changes = pipeline.compare(plan.artefacts, out, plan.has_orphan)
    elif check:
        text, changes = "", pipeline.compare(plan.artefacts, out, plan.has_orphan)
    else:
        approve = pipeline.approved if prune else plan.approve
        text, changes = "", pipeline.write(plan.artefacts, out, plan.has_orphan, _say_waiting, approve)
    if format_ == "json":
        data = _data(changes, plan, written=not check and not show_diff)
        click.echo(json.dumps(data | ({"diff": text} if show_diff else {}), indent=2))
    elif show_diff:
        click.echo(text, nl=False)
    else:
        _tell(changes, check=check)
    if not show_diff:
        click.echo(_summary(changes, len(plan.artefacts), out, check=check), err=True)
    if check or show_diff:
        _warn(plan.strangers(changes))
    return 1 if (check or show_diff) and changes else 0


def _warn(strangers: str) -> None:
    if strangers:
        click.echo(f"of services that none of these specs names: {strangers}; --prune removes them", err=True)


def _say_waiting() -> None:
    click.echo("another obs generate is writing there: waiting for it", err=True)


def _links(pairs: tuple[str, ...]) -> dict[str, str]:
    chosen = {}
    for pair in pairs:
        name, equals, url = pair.partition("=")
        if not equals:
            raise ConfigError(f"--link: got {pair!r}, expected NAME=URL")
        chosen[name] = url
    return chosen


def _tell(changes: Changes, *, check: bool) -> None:
    words = ("missing", "differs", "orphaned") if check else ("created", "changed", "removed")
    for word, paths in zip(words, (changes.created, changes.changed, changes.removed), strict=True):
        for path in paths:
            click.echo(f"{word:8} {path}")
    for path in changes.kept:
        click.echo(f"kept     {path} (no longer generated, but somebody has written into it)")


def _data(changes: Changes, plan: Plan, *, written: bool) -> dict[str, object]:
    return {
        "artefacts": len(plan.artefacts),
        "written": written,
        "created": [str(path) for path in changes.created],
        "changed": [str(path) for path in changes.changed],
        "removed": [str(path) for path in changes.removed],
        "kept": [str(path) for path in changes.kept],
        "skipped": [
            {"service": one.service, "alert": one.alert, "reason": one.reason, "spec": str(one.place)}
            for one in plan.skipped
        ],
    }


def _summary(changes: Changes, artefacts: int, out: Path, *, check: bool) -> str:
    count = len(changes.created) + len(changes.changed) + len(changes.removed)
    if not count:
        return f"{artefacts} artefacts, {out} is up to date"
    if check:
        return f"{artefacts} artefacts, {count} of {out} drifted: obs generate writes them"
    return (
        f"{artefacts} artefacts: {len(changes.created)} created, {len(changes.changed)} changed, "
        f"{len(changes.removed)} removed in {out}"
    )
