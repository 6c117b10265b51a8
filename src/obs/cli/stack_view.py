"""How `obs stack` shows servers, whichever runtime they have."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from obs.stack.compose.service import ServiceStatus
    from obs.stack.native import ServerStatus


_WIDTH = 80
_INDENT = " " * 24


def show_native(servers: Sequence[ServerStatus], format_: str) -> None:
    """Print a line, and below what else to know of a server that runs, 80 columns wide; or a JSON object."""
    if format_ == "json":
        rows = [
            {key: str(value) if isinstance(value, Path) else value for key, value in asdict(one).items()}
            for one in servers
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for one in servers:
        place = f"{one.url}  {one.version} ({one.route}), process {one.pid}" if one.pid else one.reason or ""
        click.echo(f"{one.name:13} {one.state:9} {place}".rstrip())
        if one.pid and one.reason:
            click.echo(click.wrap_text(one.reason, _WIDTH, _INDENT, _INDENT))


def advise(servers: Sequence[ServerStatus], place: Path, *, started: bool) -> None:
    """Say on standard error what to do about servers that should run and do not; nothing where all is well."""
    here = f"--dir {shlex.quote(str(place))}"
    if not any(one.pid for one in servers) and not any(
        one.state == "stopped" and one.reason for one in servers
    ):
        what = "nothing runs" if started else "no stack was started"
        click.echo(f"{what} in {place}: obs stack up {here}, or name another directory with --dir", err=True)
        return
    for one in servers:
        if one.state == "stopped" and one.reason:
            click.echo(
                f"{one.name} died; its last words: obs stack logs {one.name} {here}; `obs stack up` with the options"
                " of its start starts it again",
                err=True,
            )
        elif one.state == "starting":
            click.echo(
                f"{one.name} runs and does not say that it is ready: obs stack logs {one.name} {here}",
                err=True,
            )


def show_containers(services: Sequence[ServiceStatus], format_: str) -> None:
    """Print one line, or one JSON object, a container."""
    if format_ == "json":
        click.echo(json.dumps([asdict(one) for one in services], indent=2))
        return
    for one in services:
        places = " ".join(f"http://{url}" if "://" not in url else url for url in one.urls)
        click.echo(f"{one.name:13} {one.state:9} {places or '-'}  {one.image}, container {one.container}")
    if not services:
        click.echo("nothing is running", err=True)
