"""`obs stack`: install, start, inspect and stop the real engines."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.cli import stack_certs
from obs.cli.progress import ProgressLine

if TYPE_CHECKING:
    from obs.stack.native import ServerStatus


_runtime = click.option(
    "--runtime",
    type=click.Choice(["native"]),
    default="native",
    show_default=True,
    expose_value=False,
    help="How the engines run: native is plain processes on loopback.",
)
_dir = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory; default: stack in $OBS_HOME, else in your cache directory.",
)
_format = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_route = click.option(
    "--route",
    "routes",
    type=click.Choice(["path", "download", "debian", "go"]),
    multiple=True,
    help="Get engines this way only; repeat to allow several, tried in this order.",
)
_file = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Install, start, inspect and stop the engines: Prometheus and Alertmanager, with their tools.

    \b
    Example:
      obs stack up --rules alerts/prometheus --targets targets.json
    """


command.add_command(stack_certs.command)


@command.command()
@click.argument("names", metavar="[ENGINE]...", nargs=-1)
@_runtime
@_route
@_format
def install(names: tuple[str, ...], routes: tuple[str, ...], format_: str) -> None:
    """Find or install engines: prometheus, promtool, alertmanager, amtool (all by default).

    Tried in turn: the cache, PATH, the upstream release, the Debian package (no root), a build with Go.
    By name only: otelcol, from PATH or built with Go; and, for tests and development, postgres and
    redis-server from Debian packages.

    \b
    Example:
      obs stack install promtool --route debian
    """
    from obs.stack import databases, engines
    from obs.stack.table import ENGINES

    asked = [name for name in names if name not in databases.DATABASES]
    servers = [name for name in names if name in databases.DATABASES]
    with ProgressLine() as report:
        found = engines.install(
            asked or (() if servers else tuple(ENGINES)), routes=routes or None, report=report
        )
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


def _ports(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    chosen = {}
    for value in values:
        name, _, port = value.partition("=")
        if not (port.isascii() and port.isdigit()):
            raise click.BadParameter(
                f"got {value!r}, expected NAME=PORT such as prometheus=19090", ctx, parameter
            )
        chosen[name] = int(port)
    return chosen


@command.command()
@_runtime
@_dir
@click.option(
    "--port",
    "ports",
    metavar="NAME=PORT",
    multiple=True,
    callback=_ports,
    help="Port of a server, such as prometheus=19090.",
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Rule file, or directory of rule files. Repeatable.",
)
@click.option(
    "--targets",
    type=_file,
    multiple=True,
    help="What to scrape, in Prometheus' file_sd format; followed while running. Repeatable.",
)
@click.option("--alertmanager-config", type=_file, help="Complete configuration of Alertmanager.")
@click.option("--scrape-interval", metavar="DURATION", help="Such as 5s; default: 15s.")
@click.option("--evaluation-interval", metavar="DURATION", help="Such as 5s; default: 15s.")
@_route
@_format
def up(
    *,
    directory: Path | None,
    ports: dict[str, int],
    rules: tuple[Path, ...],
    targets: tuple[Path, ...],
    alertmanager_config: Path | None,
    scrape_interval: str | None,
    evaluation_interval: str | None,
    routes: tuple[str, ...],
    format_: str,
) -> None:
    """Start the engines in the background and wait until they are ready; twice is harmless.

    \b
    Example:
      obs stack up --rules alerts/prometheus --port prometheus=19090
    """
    from obs.stack import native
    from obs.stack.native_config import default_directory

    config = native.NativeConfig(
        directory=directory or default_directory(),
        ports=ports,
        rules=rules,
        target_files=targets,
        alertmanager_config=alertmanager_config,
        scrape_interval=scrape_interval,
        evaluation_interval=evaluation_interval,
        routes=routes or None,
    )
    with ProgressLine() as report:
        servers = native.up(config, report=report)
    for server in servers:
        if server.was_running:
            click.echo(f"{server.name} is already running", err=True)
    _show(servers, format_)


@command.command()
@_runtime
@_dir
@click.option("--purge", is_flag=True, help="Remove data, configuration and logs as well.")
def down(directory: Path | None, purge: bool) -> None:
    """Stop the engines; twice is harmless.

    \b
    Example:
      obs stack down --purge
    """
    from obs.stack import native
    from obs.stack.native_config import default_directory

    with ProgressLine() as report:
        stopped = native.down(directory or default_directory(), purge=purge, report=report)
    click.echo(f"stopped {', '.join(stopped)}" if stopped else "nothing was running", err=True)


@command.command()
@_runtime
@_dir
@_format
@click.pass_context
def status(ctx: click.Context, directory: Path | None, format_: str) -> None:
    """Show each engine's state; exit code 1 unless all are ready.

    \b
    Example:
      obs stack status --format json
    """
    from obs.stack import native
    from obs.stack.native_config import default_directory

    servers = native.status(directory or default_directory())
    _show(servers, format_)
    ctx.exit(0 if all(server.state == "ready" for server in servers) else 1)


@command.command()
@click.argument("name", metavar="SERVER")
@_runtime
@_dir
@click.option("--lines", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--follow", is_flag=True, help="Go on showing lines as they come, until Ctrl-C.")
def logs(name: str, directory: Path | None, lines: int, follow: bool) -> None:
    """Show the end of a server's log.

    \b
    Example:
      obs stack logs prometheus --lines 20
    """
    from obs.stack import native
    from obs.stack.native_config import default_directory

    place = directory or default_directory()
    click.echo(native.logs(place, name, lines))
    if follow:
        with native.log_path(place, name).open(encoding="utf-8", errors="replace") as file:
            file.seek(0, 2)
            while True:
                click.echo(file.read(), nl=False)
                time.sleep(0.5)


def _show(servers: list[ServerStatus], format_: str) -> None:
    if format_ == "json":
        rows = [
            {key: str(value) if isinstance(value, Path) else value for key, value in asdict(one).items()}
            for one in servers
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for server in servers:
        place = f"{server.url}  {server.version} ({server.route}), process {server.pid}" if server.pid else ""
        click.echo(f"{server.name:13} {server.state:9} {place}".rstrip())
