"""An alert that ends at a receiver which tells nobody."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import alert_labels
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration
from obs.lint.read.matchers import Labels
from obs.lint.routing import arrivals


def _run(project: Project) -> Iterator[Finding]:
    every = [config for config in project.of(Configuration) if config.route is not None]
    # What the parts decline goes on to a configuration that may not be here.
    configs = [config for config in every if not config.is_part]
    parts = [config for config in every if config.is_part]
    if configs and project.alerts and not any(config.tells_somebody for config in every):
        yield from _skeletons(configs, len(project.alerts))
        return
    for alert in project.alerts if configs else ():
        if alert.label("severity").lower() in alert_labels.QUIET or alert_labels.is_heartbeat(alert):
            continue
        labels = alert_labels.of(alert, project.settings)
        # With several configurations (one an environment) one that tells somebody is enough.
        ends = [_silent_ends(config, labels) for config in configs]
        if all(ends) and not any(_may_tell(part, labels) for part in parts):
            names = ", ".join(sorted({name for names in ends for name in names}))
            message = f"{alert.name.value} reaches no receiver: it ends at {names}, which tells nobody"
            hint = "give the receiver an integration, or a route to another one"
            yield Finding(alert.name.span, message, hint)


def _silent_ends(config: Configuration, labels: Labels) -> set[str]:
    """Return the receivers at which an alert may end, when not one of them tells anybody."""
    assert config.route is not None  # noqa: S101 - the caller has left out configurations without routes
    ends = {arrival.route.receiver for arrival in arrivals(config.route, labels)}
    return ends if all(config.silent(name) or config.receiver(name) is None for name in ends) else set()


def _skeletons(configs: list[Configuration], alerts: int) -> Iterator[Finding]:
    """Yield one finding for a configuration that nobody has filled in: each alert would say the same."""
    for config in configs:
        assert config.route is not None  # noqa: S101 - the caller has left those out
        message = "no receiver tells anybody, so none of the alerts that were read reaches somebody"
        hint = f"{alerts} alerts; give the receivers integrations: slack_configs, email_configs, webhook_configs…"
        at = config.route.own["receiver"].span if "receiver" in config.route.own else config.route.node.span
        yield Finding(at, message, hint, severity="warning")


def _may_tell(part: Configuration, labels: Labels) -> bool:
    ends = arrivals(part.route, labels) if part.route is not None else ()
    return any(part.receiver(end.route.receiver) and not part.silent(end.route.receiver) for end in ends)


CHECK = Check("alert-unrouted", "error", ("rules",), _run)
