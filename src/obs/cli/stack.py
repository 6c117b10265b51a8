"""`obs stack`: install, start, inspect and stop the real engines."""

from __future__ import annotations

import json

import click

from obs.cli import stack_certs, stack_state, stack_up
from obs.cli import stack_options as options
from obs.cli.progress import ProgressLine


@click.group()
def command() -> None:
    """Install, start, inspect and stop the engines: metrics, logs, traces, alerts, dashboards, runbooks.

    \b
    Example:
      obs stack up
      obs stack status
    """


for _part in (
    stack_certs.command,
    stack_up.command,
    stack_state.down,
    stack_state.status,
    stack_state.logs,
    stack_state.reset,
):
    command.add_command(_part)


@command.command()
@click.argument("names", metavar="[ENGINE]...", nargs=-1)
@options.route
@options.format_
def install(names: tuple[str, ...], routes: tuple[str, ...], format_: str) -> None:
    """Find or install engines; by default all that obs stack up cannot do without.

    Tried in turn: the cache, PATH, the upstream release, the Debian package (no root), a build with Go.
    Not every engine can be had in every way; the error says which were tried. Debian's old Prometheus
    and Alertmanager count only by name. By name only: tempo and grafana (from PATH or the release),
    docker-compose, and, for tests and development, postgres and redis-server from Debian packages.

    \b
    Example:
      obs stack install promtool --route debian
    """
    from obs.stack import databases, engines
    from obs.stack.table import FULL_FLOORS, NEEDED

    asked = [name for name in names if name not in databases.DATABASES]
    servers = [name for name in names if name in databases.DATABASES]
    with ProgressLine() as report:
        wanted = asked or (() if servers else NEEDED)
        # By name, an engine as old as Debian's will do: the small stack and the demo run on it.
        floors = {} if names else FULL_FLOORS
        found = engines.install(wanted, routes=routes or None, floors=floors, report=report)
        found.update(databases.install(servers, routes=routes or None, report=report))
    if format_ == "json":
        rows = [
            {"name": one.name, "version": str(one.version), "route": one.route, "path": str(one.path)}
            for one in found.values()
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for engine in found.values():
        click.echo(f"{engine.name:13} {engine.version!s:8} {engine.route:9} {engine.path}")
