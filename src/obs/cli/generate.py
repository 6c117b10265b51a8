"""`obs generate`: specs in; dashboards, rules, tests, routes and runbooks out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.errors import ConfigError

if TYPE_CHECKING:
    from obs.generate.pipeline import Changes


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
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when OUT is not what the specs say.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; print what would change.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(  # noqa: PLR0917 - click passes by name
    specs: tuple[Path, ...],
    out: Path,
    environment: str | None,
    links: tuple[str, ...],
    check: bool,
    show_diff: bool,
    format_: str,
) -> int:
    """Generate dashboards, rules, tests, routes and runbooks.

    SPEC is a file, or a directory whose *.yml files are specs (defaults.yml only serves `extends`).
    A generated file in OUT that no spec produces any more is removed; a runbook keeps what people
    have written between its generated parts.

    \b
    Exit codes: 0 clean or written, 1 drift (--check, --diff), 2 broken spec.

    \b
    Example:
      obs generate specs/shop --out . --check
    """
    from obs.generate import pipeline

    artefacts = pipeline.plan(specs, environment=environment, links=_links(links))
    if show_diff:
        text = pipeline.diff(artefacts, out)
        click.echo(text, nl=False)
        return 1 if text else 0
    changes = pipeline.compare(artefacts, out) if check else pipeline.write(artefacts, out)
    if format_ == "json":
        click.echo(json.dumps(_data(changes, len(artefacts), written=not check), indent=2))
    else:
        _tell(changes, check=check)
    click.echo(_summary(changes, len(artefacts), out, check=check), err=True)
    return 1 if check and changes else 0


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


def _data(changes: Changes, artefacts: int, *, written: bool) -> dict[str, object]:
    return {
        "artefacts": artefacts,
        "written": written,
        "created": [str(path) for path in changes.created],
        "changed": [str(path) for path in changes.changed],
        "removed": [str(path) for path in changes.removed],
        "kept": [str(path) for path in changes.kept],
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
