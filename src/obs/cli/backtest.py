"""`obs backtest`: how often each alert would have fired, held against the history of a server."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.errors import ConfigError

if TYPE_CHECKING:
    from obs.verify.backtest.plan import Judged, Period
    from obs.verify.backtest.run import Backtest

#: Longest period in milliseconds: what a year would take is no look at a dashboard any more.
_LONGEST = 366 * 86_400_000


@click.command()
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--url", metavar="PROMETHEUS", required=True, help="Address of a running Prometheus.")
@click.option(
    "--since", metavar="DURATION", default="7d", show_default=True, help="How long the period is: 12h, 30d."
)
@click.option(
    "--until",
    metavar="TIME",
    help="End of the period, as 2026-11-01T18:00 or 2026-11-01T18:00Z; now by default.",
)
@click.option("--environment", metavar="NAME", help="Lay this environment's overlay upon each spec.")
@click.option(
    "--night",
    "night",
    metavar="HOURS",
    default="22:00-07:00",
    show_default=True,
    help="Hours in which a page wakes somebody.",
)
@click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    default="UTC",
    show_default=True,
    help="Zone of the night and of all times printed.",
)
@click.option(
    "--fail-over",
    metavar="N",
    type=click.IntRange(min=0),
    help="Exit 1 when an alert would have fired more than N times.",
)
@click.option("--all", "show_all", is_flag=True, help="List the alerts that kept quiet, too.")
@click.option("--bearer-file", type=click.Path(path_type=Path), help="File of a token to send.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="File of a password to send, for basic authentication.",
)
@click.option("--user", metavar="NAME", default="obs", show_default=True, help="Whose password it is.")
@click.option("--ca-file", type=click.Path(path_type=Path), help="File of certificates to trust.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(1, 600),
    default=30,
    show_default=True,
    help="Per query.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 16), default=2, show_default=True, help="Queries at the same time."
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 1000),
    default=20,
    show_default=True,
    help="Queries a second, at most.",
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(  # noqa: PLR0917 - click passes by name
    specs: tuple[Path, ...],
    url: str,
    since: str,
    until: str | None,
    environment: str | None,
    night: str,
    zone: str,
    fail_over: int | None,
    show_all: bool,
    bearer_file: Path | None,
    password_file: Path | None,
    user: str,
    ca_file: Path | None,
    timeout: float,
    parallel: int,
    rate: float,
    format_: str,
) -> int:
    """Tell how often each alert would have fired.

    Evaluates the alerts of the specs over what a Prometheus remembers, before they are shipped: `for`,
    `keep_firing_for` and label sets as its rule engine treats them, objectives by their recording rules,
    which the server need not have. Nothing is written, here or there.

    \b
    Exit codes: 0 judged, 1 an alert fired more than --fail-over times, 2 broken spec,
    3 the server is absent, or could not answer for every alert.

    \b
    Example:
      obs backtest specs/shop --url http://127.0.0.1:9090 --since 7d
    """
    from obs.cli import backtest_view
    from obs.verify.backtest import run
    from obs.verify.backtest.history import History
    from obs.verify.query_api import Access

    hours = backtest_view.Night.of(night, zone)
    period = _period(since, until, hours.zone)
    access = Access(bearer_file, password_file, user, ca_file)
    history = History(url, access=access, timeout_s=timeout, rate=rate)
    try:
        backtest = run.prepare(specs, period, environment=environment)
        found = _run(backtest, lambda report: backtest.run(history, parallel=parallel, report=report))
    finally:
        history.close()
    loud = [one for one in found if fail_over is not None and len(one.firings) > fail_over]
    if format_ == "json":
        click.echo(json.dumps(backtest_view.data(backtest, found, period, hours), indent=2))
    else:
        for line in backtest_view.table(found, hours, show_all=show_all):
            click.echo(line)
    for line in backtest_view.notes(backtest, found, period, hours):
        click.echo(line, err=True)
    if loud:
        click.echo(f"more than {fail_over} times: {', '.join(map(backtest_view.name, loud))}", err=True)
    if any(one.reason or one.coverage is None for one in found):
        return 3
    return 1 if loud else 0


def _run(backtest: Backtest, work: Callable[[Callable[[], object]], list[Judged]]) -> list[Judged]:
    """Do the work, with a bar once a second has passed."""
    began = time.monotonic()
    with click.progressbar(
        length=backtest.queries, label="queries", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        waiting = 0

        def report() -> None:
            nonlocal waiting
            waiting += 1
            if time.monotonic() - began >= 1.0:
                bar.update(waiting)
                waiting = 0

        return work(report)


def _period(since: str, until: str | None, zone: tzinfo) -> Period:
    from obs.generate.model import Duration
    from obs.verify.backtest.plan import Period

    try:
        length = Duration.parse(since).milliseconds
    except ValueError:
        raise ConfigError(f"--since: got {since!r}, expected a duration: 12h, 7d, 1d12h") from None
    if not 60_000 <= length <= _LONGEST:
        raise ConfigError(f"--since: got {since}, expected 1m to 366d")
    end = time.time() if until is None else _moment(until, zone)
    if end > time.time() + 1:
        raise ConfigError(f"--until: {until} is in the future")
    last = int(end * 1000)
    if last < length:
        raise ConfigError(f"--until: {until} is too early: the period would begin before 1970")
    return Period(last - length, last)


def _moment(text: str, zone: tzinfo) -> float:
    plain = f"{text[:-1]}+00:00" if text.endswith("Z") else text
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        raise ConfigError(f"--until: got {text!r}, expected a time: 2026-11-01T18:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.timestamp()
