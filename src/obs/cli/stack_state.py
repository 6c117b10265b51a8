"""`obs stack down`, `status`, `logs` and `reset`: what runs, and its end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.cli import stack_options as options
from obs.cli import stack_runtime, stack_view
from obs.cli.progress import ProgressLine

if TYPE_CHECKING:
    from obs.stack.compose.config import ComposeConfig


@click.command("down")
@options.runtime
@options.directory
@click.option("--purge", is_flag=True, help="Remove data, configuration and logs as well.")
def down(runtime: str, directory: Path | None, *, purge: bool) -> None:
    """Stop the engines; twice is harmless.

    \b
    Example:
      obs stack down
    """
    choose = stack_runtime.with_data if purge else stack_runtime.at_work
    _stop(choose(runtime, directory), directory, purge=purge)


@click.command("reset")
@options.runtime
@options.directory
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(runtime: str, directory: Path | None, *, yes: bool) -> None:
    """Stop the engines and remove all of their data: metrics, logs, traces, silences, passwords.

    Certificates, and secrets that you have put there yourself, stay.

    \b
    Example:
      obs stack reset --yes
    """
    chosen = stack_runtime.with_data(runtime, directory)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("this removes all data of the stack: say --yes")
        if not click.confirm(f"Remove all data of {_place(chosen, directory)}?", err=True):
            click.echo("nothing was removed", err=True)
            return
    _stop(chosen, directory, purge=True)


@click.command("status")
@options.runtime
@options.directory
@options.format_
@click.pass_context
def status(ctx: click.Context, runtime: str, directory: Path | None, format_: str) -> None:
    """Show each engine's state; exit code 1 unless all that can run here are ready.

    \b
    Example:
      obs stack status --format json
    """
    if stack_runtime.at_work(runtime, directory) == stack_runtime.COMPOSE:
        from obs.stack.compose import driver

        services = driver.status(_compose(directory))
        stack_view.show_containers(services, format_)
        ctx.exit(0 if services and all(one.state == "ready" for one in services) else 1)
    from obs.stack import native

    place = _native(directory)
    servers = native.status(place)
    stack_view.show_native(servers, format_)
    stack_view.advise(servers, place, started=native.is_state(place))
    ctx.exit(0 if all(one.state in ("ready", "skipped") for one in servers) else 1)


@click.command("logs")
@click.argument("name", metavar="SERVER")
@options.runtime
@options.directory
@click.option("--lines", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--follow", is_flag=True, help="Go on showing lines as they come, until Ctrl-C.")
def logs(name: str, runtime: str, directory: Path | None, *, lines: int, follow: bool) -> None:
    """Show the end of a server's log.

    \b
    Example:
      obs stack logs prometheus --lines 20
    """
    if stack_runtime.at_work(runtime, directory) == stack_runtime.COMPOSE:
        from obs.stack.compose import driver

        if follow:
            raise click.UsageError(f"containers are followed by: docker compose logs --follow {name}")
        click.echo(driver.logs(_compose(directory), name, lines))
        return
    from obs.stack import logfile, native

    place = _native(directory)
    click.echo(native.logs(place, name, lines))
    if follow:
        for text in logfile.follow(native.log_path(place, name)):
            click.echo(text, nl=False)


def _stop(runtime: str, directory: Path | None, *, purge: bool) -> None:
    place = _native(directory)
    with ProgressLine() as report:
        if runtime == stack_runtime.COMPOSE:
            from obs.stack.compose import driver

            stopped = driver.down(_compose(directory), volumes=purge, report=report)
        else:
            from obs.stack import native

            if purge and not native.is_state(place):
                click.echo(f"there is no stack in {place}: nothing was removed", err=True)
                return
            stopped = native.down(place, purge=purge, report=report)
    nothing = "nothing was running" if runtime == stack_runtime.COMPOSE else f"nothing was running in {place}"
    click.echo(f"stopped {', '.join(stopped)}" if stopped else nothing, err=True)
    if purge:
        click.echo(f"removed all data of {_place(runtime, directory)}", err=True)


def _place(runtime: str, directory: Path | None) -> str:
    return "the containers" if runtime == stack_runtime.COMPOSE else str(_native(directory))


def _native(directory: Path | None) -> Path:
    from obs.stack.native_config import default_directory

    return directory or default_directory()


def _compose(directory: Path | None) -> ComposeConfig:
    from obs.stack.compose.config import ComposeConfig, default_directory

    return ComposeConfig(directory=directory or default_directory())
