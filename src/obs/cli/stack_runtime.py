"""Which runtime a command of `obs stack` means: what the user says, what runs, or what this machine has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

COMPOSE, NATIVE = "compose", "native"


def to_start(asked: str, directory: Path | None, only_native: Sequence[str]) -> str:
    """Return the runtime for `up`, and say on standard error why where nobody asked for one.

    `only_native` are the options on the command line that only the native runtime has.

    Raises:
        click.UsageError: compose was asked for together with one of them.
    """
    from obs.errors import StackError
    from obs.stack.compose import program

    if asked == COMPOSE and only_native:
        raise click.UsageError(f"{only_native[0]} is for --runtime native")
    if asked != "auto":
        return asked
    deciding = [*only_native, *(["--dir"] if directory is not None else [])]
    if deciding:
        click.echo(f"running as plain processes, for {deciding[0]} is given", err=True)
        return NATIVE
    if _runs_natively():
        click.echo("running as plain processes, for they run already", err=True)
        return NATIVE
    try:
        program.find()
    except StackError as error:
        click.echo(f"running as plain processes: {error.message}", err=True)
        return NATIVE
    click.echo("running as containers; --runtime native runs plain processes", err=True)
    return COMPOSE


def at_work(asked: str, directory: Path | None) -> str:
    """Return the runtime whose servers are there; the native one where there are none.

    A given directory is one of the native runtime unless compose is asked for.
    """
    from obs.errors import StackError
    from obs.stack.compose import driver
    from obs.stack.compose.config import ComposeConfig

    if asked != "auto":
        return asked
    if directory is not None or _runs_natively():
        return NATIVE
    try:
        return COMPOSE if driver.status(ComposeConfig()) else NATIVE
    except StackError:
        return NATIVE


def with_data(asked: str, directory: Path | None) -> str:
    """Return the runtime whose data are there, be it stopped or not: containers leave theirs in volumes.

    The native one comes first, and where nothing runs and its directory holds no stack, containers if any can be had.
    """
    from obs.errors import StackError
    from obs.stack import native
    from obs.stack.compose import program
    from obs.stack.native_config import default_directory

    chosen = at_work(asked, directory)
    if asked != "auto" or directory is not None or chosen == COMPOSE or native.is_state(default_directory()):
        return chosen
    try:
        program.find()
    except StackError:
        return NATIVE
    return COMPOSE


def _runs_natively() -> bool:
    from obs.stack import native
    from obs.stack.native_config import default_directory

    return any(server.pid for server in native.status(default_directory()))
