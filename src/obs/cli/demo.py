"""`obs demo`: one incident from the fault to its end, on real engines, on this machine."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from obs.stack import engines
from obs.verify import places

if TYPE_CHECKING:
    from obs.verify.drill import Drill, Timeline
    from obs.verify.interruption import Interruption

_LOOK_S = 0.5


@click.command()
@click.option("--once", is_flag=True, help="End after the incident instead of staying up until Ctrl-C.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the timeline on stdout.",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="NAME=PORT",
    help=f"Move a server ({', '.join(places.PORTS)}); NAME={places.AUTO} or just {places.AUTO} takes free ports.",
)
@click.option(
    "--route",
    "routes",
    multiple=True,
    type=click.Choice(list(engines.ROUTES)),
    help="How the engines may be had; may be repeated. Default: every way, quickest first.",
)
def command(once: bool, format_: str, ports: tuple[str, ...], routes: tuple[str, ...]) -> int:
    """Break a shop, watch the alert fire, follow its runbook, repair it.

    Starts a small shop, Prometheus and Alertmanager on loopback, installs the engines when they are
    missing, and prints when each step of the incident was seen. Without a terminal it behaves like
    --once.

    \b
    Exit codes: 0 every step was seen, 1 a step was missed,
    2 usage, 3 engines or ports cannot be had.

    \b
    Example:
      obs demo --once --format json
    """
    chosen = places.choose(ports)
    from obs.cli.demo_view import View
    from obs.verify.interruption import Interruption
    from obs.verify.scene import Scene

    with Interruption() as interruption:
        with View() as view:
            with interruption.allowed():
                # Said before minutes are spent on engines.
                places.require_all_free(chosen)
                engines.install(routes=routes or None, report=view.report)
            scene = Scene(chosen, routes=routes or None, report=view.report, check=interruption.check)
            with scene, scene.load() as load:
                drill = scene.drill(view.seen)
                with view.watching(load, drill, scene.links):
                    with interruption.allowed():
                        scene.await_healthy(load)
                        drill.run(scene.break_it, scene.repair_it)
                    if not once and sys.stdin.isatty() and sys.stdout.isatty() and view.is_live:
                        view.end()
                        _stay(interruption, drill)
        _print(drill.timeline, format_)
    return 0 if drill.timeline.complete else 1


def _stay(interruption: Interruption, drill: Drill) -> None:
    """Keep the picture fresh until Ctrl-C, which is how this is meant to end."""
    try:
        with interruption.allowed():
            while True:
                drill.look()
                time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        return


def _print(timeline: Timeline, format_: str) -> None:
    from obs.verify.drill import STEPS

    if format_ == "json":
        click.echo(json.dumps(_data(timeline), indent=2))
        return
    click.echo(f"{timeline.alert} of {timeline.labels['service']}, seconds after the fault:")
    for step in STEPS:
        if step in timeline.steps:
            click.echo(f"  {step:9}{timeline.steps[step]:7.1f}{_remark(step, timeline)}")
    if timeline.missed is not None:
        missed = timeline.missed
        click.echo(f"  {missed.step:9} missed: not within {missed.seconds:g} s; seen instead: {missed.seen}")
    if "notified" in timeline.steps:
        click.echo(f"from fault to notification: {timeline.steps['notified']:.1f} s")


def _remark(step: str, timeline: Timeline) -> str:
    if step == "fault":
        return f"  {_moment(timeline)}"
    if step == "runbook":
        return f"  200 {timeline.runbook_url}"
    return ""


def _moment(timeline: Timeline) -> str:
    moment = datetime.fromtimestamp(timeline.fault_at, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _data(timeline: Timeline) -> dict[str, object]:
    missed = timeline.missed
    return {
        "alert": timeline.alert,
        "labels": dict(timeline.labels),
        "fault_at": _moment(timeline),
        "seconds": dict(timeline.steps),
        "fault_to_notification": timeline.steps.get("notified"),
        "runbook_url": timeline.runbook_url,
        "complete": timeline.complete,
        "missed": None
        if missed is None
        else {"step": missed.step, "within": missed.seconds, "seen": missed.seen},
    }
