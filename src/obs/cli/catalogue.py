"""`obs catalogue`: what signals exist, for people and as the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

from obs.catalogue import Counter, Dialect, Gauge, Histogram, Registry, Signal, bundled, contract
from obs.catalogue.everything import DOMAINS, everything
from obs.errors import ConfigError, ObsError

#: Runs in a child, because a user's module may import the runtime, and the toolchain must not.
_COLLECT = """
import contextlib, importlib, sys
sys.path.insert(0, "")
from obs.catalogue import Signal, bundled, contract
try:
    # What the module prints must not end up inside the contract.
    with contextlib.redirect_stdout(sys.stderr):
        declared = vars(importlib.import_module(sys.argv[1])).values()
    registry = bundled()
    for value in declared:
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, Signal):
                registry.add(item)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {getattr(error, 'message', error)}")
sys.stdout.write(contract.dumps(registry, sys.argv[2] or None))
"""

_dialect = click.option(
    "--dialect",
    type=click.Choice(["otel", "classic"]),
    default="otel",
    show_default=True,
    help="Names to show.",
)


@click.group()
def command() -> None:
    """List, show and export the signals that exist.

    \b
    Example:
      obs catalogue show http.server.duration
    """


@command.command("list", short_help="List every signal that obs has a name for.")
@_dialect
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(dialect: Dialect, format_: str) -> None:
    """List every signal that obs has a name for: the SDK's, those of engines and exporters, and conventions.

    \b
    Example:
      obs catalogue list --dialect classic
    """
    if format_ == "json":
        click.echo(contract.dumps(everything()), nl=False)
        return
    width = max(len(signal.id) for signal in everything())
    for domain, signals in DOMAINS.items():
        click.echo(f"{domain}:")
        for signal in signals:
            click.echo(f"  {signal.id:{width}}  {signal.kind:9}  {signal.named(dialect)}")


@command.command(short_help="Show one signal: names, unit, labels, buckets.")
@click.argument("signal_id", metavar="SIGNAL")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def show(signal_id: str, format_: str) -> None:
    """Show one signal: its names in both dialects, unit, labels and buckets.

    \b
    Example:
      obs catalogue show job.runs
    """
    signal = everything().find(signal_id)
    if format_ == "json":
        click.echo(json.dumps(contract.export([signal])["signals"][0], indent=2))
        return
    click.echo(f"{signal.id} ({signal.kind}, {signal.stability})")
    click.echo(f"  {signal.help}")
    for name, value in _facts(signal):
        click.echo(f"  {name + ':':9} {value}")
    if signal.labels:
        click.echo("  labels:")
    for label in signal.labels:
        values = ", ".join(label.values) or ("bounded" if label.bounded else "unbounded, capped")
        click.echo(f"    {label.named('otel')} (classic: {label.named('classic')}): {values}")


@command.command(short_help="Export the signals as JSON, the contract.")
@click.option("--module", metavar="MODULE", help="Python module of a service that declares further signals.")
@click.option("--service", metavar="NAME", help="Name of the service, kept in the contract.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: stdout."
)
def export(module: str | None, service: str | None, out: Path | None) -> None:
    """Export the contract: the signals as JSON, against which queries are proven.

    \b
    Example:
      obs catalogue export --module shop.signals --service shop --out shop.contract.json
    """
    text = contract.dumps(bundled(), service) if module is None else _export_module(module, service)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ObsError(f"cannot write the contract: {error.strerror}", str(out)) from None


def _export_module(module: str, service: str | None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT, module, service or ""], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise ConfigError(f"cannot read signals from module {module!r}: {last}")
    registry: Registry = contract.loads(done.stdout, module)
    return contract.dumps(registry, service)


def _facts(signal: Signal) -> list[tuple[str, str]]:
    facts = [("otel", signal.named("otel")), ("classic", signal.named("classic")), ("unit", signal.unit)]
    facts.append(("origin", signal.origin))
    if isinstance(signal, Counter) and signal.counted_by:
        facts.append(("counted", f"by the _count of {signal.counted_by}"))
    if isinstance(signal, Gauge):
        facts.append(("workers", f"{signal.across} across processes"))
    if isinstance(signal, Histogram):
        facts.append(("buckets", " ".join(f"{bound:g}" for bound in signal.buckets)))
    return facts
