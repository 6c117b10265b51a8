"""Options that the commands of `obs stack` share."""

from __future__ import annotations

from pathlib import Path

import click

RUNTIMES = ("auto", "compose", "native")

runtime = click.option(
    "--runtime",
    type=click.Choice(RUNTIMES),
    default="auto",
    show_default=True,
    help="compose is containers, native is plain processes on loopback, auto what fits.",
)
directory = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory; default of native: stack in $OBS_HOME, else in your cache directory.",
)
format_ = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
route = click.option(
    "--route",
    "routes",
    type=click.Choice(["path", "download", "debian", "go"]),
    multiple=True,
    help="Get engines this way only; repeat to allow several, tried in this order.",
)
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
ANY = click.Path(path_type=Path)


def ports(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """Read `NAME=PORT` and `NAME.ROLE=PORT`."""
    chosen = {}
    for value in values:
        name, _, port = value.partition("=")
        if not (port.isascii() and port.isdigit()):
            raise click.BadParameter(
                f"got {value!r}, expected NAME=PORT such as prometheus=19090", ctx, parameter
            )
        chosen[name] = int(port)
    return chosen
