"""`obs settings`: every setting of the SDK with the value it has here and where that came from."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(format_: str) -> None:
    """Print every setting of the SDK with its value and source.

    Read as a service started from this shell would read them; arguments of obs.init() still
    come before. Secrets are masked.

    \b
    Example:
      OBS_SERVICE=checkout obs settings --format json
    """
    from obs.runtime.settings import display, resolve
    from obs.runtime.settings_table import TABLE

    settings = resolve()
    rows = [
        {
            "name": row.name,
            "value": display(row, settings),
            "source": settings.sources[row.name],
            "type": row.type,
            "variables": list(dict.fromkeys(variable.name for variable in row.variables)),
            "help": row.help,
        }
        for row in TABLE
    ]
    if format_ == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(row.name) for row in TABLE)
    for row in rows:
        click.echo(f"{row['name']:{width}}  {row['value'] or '-':24}  {row['source']}")
