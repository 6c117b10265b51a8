"""`obs spec`: service specs, judged before anything is made of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from obs.generate.adopt.findings import Findings
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
@click.option("--metrics-url", metavar="URL", help="Address of a running service's metrics.")
@click.option("--metrics", metavar="FILE", type=click.Path(path_type=Path), help="The same, saved to a file.")
@click.option(
    "--contract", metavar="FILE", type=click.Path(path_type=Path), help="From `obs catalogue export`."
)
@click.option("--service", metavar="NAME", help="Name of the service; default: what the source says.")
@click.option("--team", metavar="NAME", help="Whom its alerts go to.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="New file; default: stdout.")
def init(
    *,
    metrics_url: str | None,
    metrics: Path | None,
    contract: Path | None,
    service: str | None,
    team: str | None,
    out: Path | None,
) -> None:
    """Write a commented spec to start from, by what a service shows.

    Signals of the SDK bring capabilities; metrics under other well-known names are mapped to the
    signals whose role they play. What has no place is listed in comments.

    \b
    Exit codes: 0 written, 2 usage or unreadable input, 3 the address does not answer.

    \b
    Example:
      obs spec init --metrics-url http://127.0.0.1:8000/metrics --team shop --out specs/shop.yml
      obs spec init --contract shop.contract.json --team shop --out specs/shop.yml
    """
    from obs.generate.adopt import findings, page, starter

    if sum(source is not None for source in (metrics_url, metrics, contract)) != 1:
        raise click.UsageError("name one source: --metrics-url, --metrics or --contract")
    if out is not None and out.exists():
        raise ConfigError("the file is there already", str(out), "name another one")
    if contract is not None:
        found = findings.of_contract(contract)
    elif metrics is not None:
        found = findings.of_page(page.saved(metrics), str(metrics))
    else:
        found = findings.of_page(page.fetch(str(metrics_url)), str(metrics_url))
    found = replace(found, service=_name(service, "--service") or found.service)
    _put(starter.write(found, _name(team, "--team"), out.parent if out else Path()), out)
    click.echo(_placed(found), err=True)


@command.command("import")
@click.argument("source", metavar="SLOTH", type=click.Path(path_type=Path))
@click.option("--team", metavar="NAME", help="Whom its alerts go to; default: the label team or owner.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="New file; the contract of what its queries read is written beside it.",
)
def import_(source: Path, team: str | None, out: Path) -> int:
    """Import a spec of sloth (prometheus/v1).

    Objectives become custom SLOs whose queries count events of each service and environment. What
    cannot be carried over is listed, here and in the spec.

    \b
    Exit codes: 0 everything is carried over, 1 something is not, 2 no spec of sloth.

    \b
    Example:
      obs spec import sloth/checkout.yml --out specs/checkout.yml
    """
    from obs.generate.adopt import importing, sloth

    beside = out.with_suffix(".contract.json")
    for path in (out, beside):
        if path.exists():
            raise ConfigError("the file is there already", str(path), "name another one")
    done = importing.convert(sloth.read(source), f"./{beside.name}", _name(team, "--team"))
    _put(done.spec, out)
    _put(done.contract, beside)
    for lost in done.lost:
        click.echo(f"{lost.place or source}: not carried over: {lost.what}: {lost.reason}")
    click.echo(
        f"{_count(len(done.objectives), 'objective')} in {out}; {len(done.lost)} not carried over", err=True
    )
    return 1 if done.lost else 0


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


def _name(written: str | None, option: str) -> str:
    from obs.generate.spec.names import NAME

    if written is not None and not NAME.match(written):
        raise ConfigError(f"{option}: got {written!r}, expected letters, digits, - and _, a letter first")
    return written or ""


def _put(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write the spec: {error.strerror}", str(out)) from None


def _placed(found: Findings) -> str:
    parts = [_count(len(found.roles), "metric") + " mapped"] if found.roles else []
    parts += [f"capabilities: {', '.join(found.capabilities) or 'none'}"]
    parts += [_count(len(found.jobs), "job")] if found.jobs else []
    return "; ".join([*parts, f"{len(found.left)} not placed"])


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
