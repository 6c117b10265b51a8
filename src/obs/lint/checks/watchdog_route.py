"""The alert that always fires must reach somebody outside, often, and by a way of its own."""

from __future__ import annotations

from collections.abc import Iterator

from obs.generate.model import Duration
from obs.lint import alert_labels
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, Route
from obs.lint.read.matchers import Labels
from obs.lint.routing import arrivals

#: A switch that waits longer than this tells of a broken way of alerts after the damage.
LONGEST = Duration.parse("1h")


def _run(project: Project) -> Iterator[Finding]:
    heartbeats = [alert for alert in project.alerts if alert_labels.is_heartbeat(alert)]
    others = [alert_labels.of(alert, project.settings) for alert in project.alerts if alert not in heartbeats]
    for config in project.of(Configuration):
        for alert in heartbeats if config.route else ():
            labels = alert_labels.of(alert, project.settings)
            yield from _judged(config, alert.name.value, labels, others)


def _judged(config: Configuration, name: str, labels: Labels, others: list[Labels]) -> Iterator[Finding]:
    assert config.route is not None  # noqa: S101 - the caller has looked
    ends = arrivals(config.route, labels)
    if not ends:
        return
    route = ends[0].route
    span = (
        route.written[0].text.span
        if route.written
        else route.own["receiver"].span
        if "receiver" in route.own
        else route.node.span
    )
    if route.depth == 0:
        message = f"{name} has no route of its own: it is sent with everything else, as seldom"
        yield Finding(span, message, f'add a first route with the matcher alertname="{name}"')
        return
    # Of a configuration that tells nobody anything, that is said once.
    if config.silent(route.receiver) and config.tells_somebody:
        message = (
            f"{name} ends at {route.receiver}, which tells nobody: a broken way of alerts stays unnoticed"
        )
        yield Finding(span, message, "send it to a dead-man's switch outside of this installation")
    if any(
        arrival.route.receiver == route.receiver
        for other in others
        for arrival in arrivals(config.route, other)
        if arrival.sure
    ):
        message = f"{name} shares the receiver {route.receiver} with other alerts"
        yield Finding(span, message, "a switch that takes other alerts for the heartbeat never rings")
    every = _period(route)
    if every is not None and every > LONGEST:
        message = f"{name} is sent again after {every} only; the switch cannot ring before twice that"
        yield Finding(span, message, "repeat_interval: 5m, with a group_interval no longer")


def _period(route: Route) -> Duration | None:
    """Return how often it is repeated: never more often than its group is looked at."""
    try:
        return max(Duration.parse(route.times[key]) for key in ("group_interval", "repeat_interval"))
    except ValueError:
        return None


CHECK = Check("watchdog-route", "warning", ("alertmanager",), _run)
