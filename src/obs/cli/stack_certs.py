"""`obs stack certs`: the certificates of the TLS overlay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from obs.stack.certs.folder import Folder
    from obs.stack.certs.inspection import Finding
    from obs.stack.certs.renewal import Outcome

#: Days. Two years and a bit is the most that clients of any kind accept (Apple's limit for own authorities).
_LONGEST = 825


def _hosts(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for value in values:
        name, _, host = value.partition("=")
        if not host:
            raise click.BadParameter(
                f"got {value!r}, expected SERVER=HOST such as grafana=grafana.example.com", ctx, parameter
            )
        pairs.append((name, host))
    return pairs


@click.command("certs")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory; default: stack in $OBS_HOME, else in your cache directory.",
)
@click.option(
    "--check", is_flag=True, help="Change nothing; exit code 1 when something is missing, wrong or ends soon."
)
@click.option(
    "--before",
    type=click.IntRange(0, _LONGEST),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="What has no more than this left is renewed, or found by --check.",
)
@click.option(
    "--days",
    type=click.IntRange(1, _LONGEST),
    default=365,
    show_default=True,
    metavar="DAYS",
    help="How long new certificates are valid.",
)
@click.option(
    "--host",
    "hosts",
    metavar="SERVER=HOST",
    multiple=True,
    callback=_hosts,
    help="One more name or address of a server, such as grafana=grafana.example.com. Repeatable.",
)
@click.option(
    "--service",
    "services",
    metavar="NAME",
    multiple=True,
    help="A service of yours that serves HTTPS gets a certificate, too; name it once. Repeatable.",
)
@click.option(
    "--rotate",
    metavar="NAME",
    multiple=True,
    help="Replace key and certificate of this server or service, of client, or of all. Repeatable.",
)
@click.option("--replace-ca", is_flag=True, help="Make a new authority and with it every certificate anew.")
@click.option(
    "--group",
    type=click.IntRange(0),
    metavar="GID",
    help="Group that may read the servers' keys (mode 0640 instead of 0600); by default the one that may now.",
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    directory: Path | None,
    check: bool,
    before: int,
    days: int,
    hosts: list[tuple[str, str]],
    services: tuple[str, ...],
    rotate: tuple[str, ...],
    replace_ca: bool,
    group: int | None,
    format_: str,
) -> None:
    """Make and renew the certificates that the servers show one another under TLS.

    An authority of your own signs one certificate a server and one for clients. Run again, it renews what
    ends soon and leaves the rest alone; a key is replaced only when its certificate is renewed or you ask.

    \b
    Example:
      obs stack certs
      obs stack certs --check --before 14
    """
    from obs.stack.certs.authority import now
    from obs.stack.certs.folder import Folder
    from obs.stack.certs.inspection import State, inspect
    from obs.stack.certs.renewal import Wanted, renew
    from obs.stack.certs.subjects import served, subjects
    from obs.stack.native_config import default_directory

    place = Folder.of(directory or default_directory(), group)
    everybody = subjects(hosts, [*served(place), *services])
    moment = now()
    if check:
        if rotate or replace_ca:
            raise click.UsageError("--check changes nothing: leave out --rotate and --replace-ca")
        findings = inspect(place, everybody, within=timedelta(days=before), now=moment)
        _show_findings(findings, format_)
        ctx.exit(0 if all(one.state is State.GOOD for one in findings) else 1)
    if days <= before:
        raise click.UsageError(
            f"--days {days} is no longer than --before {before}: every run would renew everything"
        )
    wanted = Wanted(timedelta(days=days), timedelta(days=before), rotate, replace_ca)
    outcomes = renew(place, everybody, wanted, moment)
    _show_outcomes(outcomes, place, format_)
    _advise(outcomes)


def _show_findings(findings: Sequence[Finding], format_: str) -> None:
    if format_ == "json":
        rows = [
            {
                "name": one.name,
                "state": one.state.value,
                "days": one.days,
                "ends": one.ends.isoformat() if one.ends else None,
                "reason": one.reason,
            }
            for one in findings
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for one in findings:
        left = "" if one.days is None else f"{one.days} days left"
        click.echo(f"{one.name:13} {one.state.value:9} {left:15} {one.reason}".rstrip())


def _show_outcomes(outcomes: Sequence[Outcome], place: Folder, format_: str) -> None:
    if format_ == "json":
        rows = [
            {
                "name": one.name,
                "action": one.action,
                "ends": one.ends.isoformat(),
                "path": str(place.certificate_path(one.name)),
            }
            for one in outcomes
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for one in outcomes:
        click.echo(
            f"{one.name:13} {one.action:9} until {one.ends:%Y-%m-%d}  {place.certificate_path(one.name)}"
        )


def _advise(outcomes: Sequence[Outcome]) -> None:
    actions = {one.name: one.action for one in outcomes}
    renewed = [name for name, action in actions.items() if action == "renewed" and name != "ca"]
    if actions.get("ca") == "renewed":
        click.echo("a new authority: give ca.crt to every client, and restart every server", err=True)
    elif renewed:
        click.echo(f"new keys: restart {', '.join(renewed)}", err=True)
    for one in outcomes:
        if one.name == "ca" and one.reason:
            click.echo(f"the authority ends on {one.ends:%Y-%m-%d}: {one.reason}", err=True)
