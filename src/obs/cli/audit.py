"""`obs audit`: check that audit logs are whole and as they were written."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from obs.errors import ConfigError

if TYPE_CHECKING:
    from obs.runtime.events.verify import Report, Verifier

#: Lines after which the progress is told, and the lines of problems shown.
_TELL_EVERY = 20_000
_MOST_SHOWN = 1_000
_STDIN = "-"


@click.group()
def command() -> None:
    """Check that audit logs are whole and as they were written."""


@command.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--key-file", metavar="FILE", help="Key that the service signs with (setting audit_key_file).")
@click.option(
    "--anchors", multiple=True, metavar="FILE", help="Log with anchors that were kept elsewhere; repeatable."
)
@click.option("--partial", is_flag=True, help="The first lines of a chain may be in files that are gone.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(
    files: tuple[str, ...], key_file: str | None, anchors: tuple[str, ...], format_: str, *, partial: bool
) -> int:
    """Find gaps, edits, reorderings, duplicates and cut starts in audit logs.

    FILE is a log with audit and security events, among other lines or not, of one or many processes,
    plain or gzip, `-` for standard input. Give the rotated files of a service together, in any order.

    \b
    Example:
      obs audit verify audit.log audit.log.1.gz --key-file audit.key --anchors shipped.log
    """
    from obs.runtime.events.keys import read_key
    from obs.runtime.events.segments import Place
    from obs.runtime.events.verify import Verifier

    verifier = Verifier(read_key(key_file or ""))
    for path in anchors:
        for number, line in enumerate(_lines(path), start=1):
            verifier.anchor(Place(path, number), line)
    _read(verifier, files)
    report = verifier.finish()
    if partial:
        report = report.without("cut-start")
    if format_ == "json":
        click.echo(json.dumps(_data(report), indent=2))
    else:
        _show(report, len(files))
    return report.exit_code


def _read(verifier: Verifier, files: tuple[str, ...]) -> None:
    from obs.cli.progress import ProgressLine
    from obs.runtime.events.segments import Place
    from obs.stack.progress import Step

    with ProgressLine() as show:
        for order, path in enumerate(files):
            step = Step(f"reading {path}", show)
            done = 0
            for number, line in enumerate(_lines(path), start=1):
                done += len(line)
                verifier.feed(Place(path, number, order), line)
                if number % _TELL_EVERY == 0:
                    step.tell(done=done)
            step.tell(done=done, finished=True)


def _lines(path: str) -> Iterator[bytes]:
    try:
        with _open(path) as file:
            yield from file
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"the log cannot be read: {reason}", where=path) from None


def _open(path: str) -> IO[bytes]:
    if path == _STDIN:
        return sys.stdin.buffer
    if path.endswith(".gz"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return Path(path).open("rb")


def _data(report: Report) -> dict[str, Any]:
    return {
        "problems": [problem.as_data() for problem in report.problems],
        "unchecked": list(report.unchecked),
        "chains": [
            {
                "chain_id": name,
                "lines": chain.lines,
                "signed": chain.signed and chain.unsigned is None,
                "closed": chain.closed,
                "parent": chain.parent or None,
            }
            for name, chain in report.chains.items()
        ],
        "lines": report.lines,
        "not_found_by_this_check": list(report.limits),
    }


def _show(report: Report, files: int) -> None:
    for problem in report.problems[:_MOST_SHOWN]:
        click.echo(str(problem))
    if len(report.problems) > _MOST_SHOWN:
        click.echo(f"... and {len(report.problems) - _MOST_SHOWN} more; --format json has all of them")
    for reason in report.unchecked:
        click.echo(f"not checked: {reason}")
    for name, chain in report.chains.items():
        if not chain.closed:
            click.echo(
                f"note: chain {name} was never closed: its process runs, was killed, or its end was cut off"
            )
    click.echo(
        f"{_count(len(report.problems), 'problem')} in {_count(report.lines, 'line')} of "
        f"{_count(len(report.chains), 'chain')} in {_count(files, 'file')}"
    )
    click.echo("Not found by this check:")
    for limit in report.limits:
        click.echo(f"  - {limit}")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
