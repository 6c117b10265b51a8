"""`obs stack up`: start the engines in the background and wait until they are ready."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from obs.cli import stack_options as options
from obs.cli import stack_runtime, stack_view
from obs.cli.progress import ProgressLine

if TYPE_CHECKING:
    from obs.stack.native import NativeConfig

#: Parameter -> the option of it that only the native runtime has.
_ONLY_NATIVE = {
    "only": "--only",
    "shift_ports": "--shift-ports",
    "rules": "--rules",
    "loki_rules": "--loki-rules",
    "targets": "--targets",
    "alertmanager_config": "--alertmanager-config",
    "dashboards": "--dashboards",
    "runbooks": "--runbooks",
    "scrape_interval": "--scrape-interval",
    "evaluation_interval": "--evaluation-interval",
    "routes": "--route",
}
#: Likewise of the compose runtime.
_ONLY_COMPOSE = {"profiles": "--profile", "tls": "--tls"}


@click.command("up")
@options.runtime
@options.directory
@click.option(
    "--only",
    metavar="SERVER",
    multiple=True,
    help="Run this server only; repeat for several. Prometheus and Alertmanager alone ask for no password.",
)
@click.option(
    "--port",
    "ports",
    metavar="NAME=PORT",
    multiple=True,
    callback=options.ports,
    help="Port of a server, such as prometheus=19090, or of one role, such as collector.otlp_grpc=14317.",
)
@click.option(
    "--shift-ports",
    type=click.IntRange(1, 40_000),
    metavar="N",
    help="Add N to every default port, for a second stack on one machine.",
)
@click.option(
    "--rules",
    type=options.ANY,
    multiple=True,
    help="Rule file of Prometheus, or directory of rule files. Repeatable.",
)
@click.option(
    "--loki-rules",
    type=options.ANY,
    multiple=True,
    help="Rule file of Loki, or directory of rule files. Repeatable.",
)
@click.option(
    "--targets",
    type=options.FILE,
    multiple=True,
    help="What to scrape, in Prometheus' file_sd format; followed while running. Repeatable.",
)
@click.option("--alertmanager-config", type=options.FILE, help="Complete configuration of Alertmanager.")
@click.option("--dashboards", type=options.FOLDER, help="Dashboards for Grafana; default: those of obs.")
@click.option("--runbooks", type=options.FOLDER, help="Runbooks to serve; default: those of obs.")
@click.option("--scrape-interval", metavar="DURATION", help="Such as 5s; default: 15s.")
@click.option("--evaluation-interval", metavar="DURATION", help="Such as 5s; default: 15s.")
@options.route
@click.option("--profile", "profiles", multiple=True, help="Containers: run this as well, such as demo.")
@click.option("--tls", is_flag=True, help="Containers: TLS between all of them, see obs stack certs.")
@options.format_
def command(*, runtime: str, format_: str, **given: Any) -> None:
    """Start the engines in the background and wait until they are ready; twice is harmless.

    Prometheus, Alertmanager, Loki, the OpenTelemetry Collector, the runbook pages, and Tempo and Grafana
    where this machine has them.

    \b
    Example:
      obs stack up
      obs stack up --rules alerts/prometheus --port prometheus=19090
    """
    only_native = [option for name, option in _ONLY_NATIVE.items() if given[name]]
    only_compose = [option for name, option in _ONLY_COMPOSE.items() if given[name]]
    if only_compose and only_native:
        raise click.UsageError(
            f"{only_compose[0]} is for containers and {only_native[0]} for plain processes"
        )
    if only_compose:
        if runtime == stack_runtime.NATIVE:
            raise click.UsageError(f"{only_compose[0]} is for --runtime compose")
        chosen = stack_runtime.COMPOSE
    else:
        chosen = stack_runtime.to_start(runtime, given["directory"], only_native)
    from obs.stack import interrupts

    start = _up_compose if chosen == stack_runtime.COMPOSE else _up_native
    # A terminal that closes, or a job of CI that is cancelled, leaves half a stack no more than Ctrl-C does.
    with interrupts.raised():
        start(format_, **given)


def _up_compose(
    format_: str,
    *,
    directory: Path | None,
    ports: dict[str, int],
    profiles: Sequence[str],
    tls: bool,
    **_: object,
) -> None:
    from obs.stack.compose import driver
    from obs.stack.compose.config import ComposeConfig, default_directory

    config = ComposeConfig(
        directory=directory or default_directory(), ports=ports, profiles=tuple(profiles), tls=tls
    )
    with ProgressLine() as report:
        services = driver.up(config, report=report)
    stack_view.show_containers(services, format_)


def _up_native(format_: str, **given: Any) -> None:
    from obs.stack import native

    config = _native_config(**given)
    with ProgressLine() as report:
        servers = native.up(config, report=report)
    for server in servers:
        if server.was_running:
            click.echo(f"{server.name} is already running", err=True)
    stack_view.show_native(servers, format_)
    if not config.is_small():
        _tell_places(config, {server.name for server in servers if server.pid})


def _native_config(
    *,
    directory: Path | None,
    only: Sequence[str],
    ports: dict[str, int],
    shift_ports: int | None,
    targets: Sequence[Path],
    routes: Sequence[str],
    profiles: Sequence[str],  # noqa: ARG001 - of the other runtime, and empty
    tls: bool,  # noqa: ARG001
    **rest: Any,
) -> NativeConfig:
    from obs.stack.native import NativeConfig
    from obs.stack.native_config import default_directory
    from obs.stack.ports import shifted
    from obs.stack.servers import FULL

    servers = tuple(only) or FULL
    return NativeConfig(
        directory=directory or default_directory(),
        servers=servers,
        ports={**shifted(servers, shift_ports), **ports} if shift_ports else ports,
        target_files=targets,
        routes=routes or None,
        **rest,
    )


def _tell_places(config: NativeConfig, running: set[str]) -> None:
    from obs.stack.secret_files import GRAFANA_PASSWORD, WEB_PASSWORD, WEB_USER

    secrets = config.directory.absolute() / "secrets"
    if running & {"prometheus", "alertmanager"}:
        click.echo(
            f"Prometheus and Alertmanager: user {WEB_USER}, password in {secrets / WEB_PASSWORD}", err=True
        )
    if "grafana" in running:
        click.echo(f"Grafana: user admin, password in {secrets / GRAFANA_PASSWORD}", err=True)
    if "collector" in running:
        logs = config.directory.absolute() / "log" / "services"
        click.echo(f"logs are read from {logs}/*.log", err=True)
