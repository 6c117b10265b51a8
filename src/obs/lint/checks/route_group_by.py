"""How alerts are gathered into one notification: all in one, each alone, or by a label that never repeats."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, Route, texts

ALL = "..."
#: One value a replica: an outage of forty pods is forty notifications.
_FINE = frozenset({"instance", "pod", "container", "ip", "endpoint", "node_ip", "id", "uid"})


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        for route in config.route.all if config.route else ():
            yield from _judged(route)


def _judged(route: Route) -> Iterator[Finding]:
    entry = route.own.get("group_by")
    if entry is None:
        if route.depth == 0:
            message = "without group_by all alerts of a route are one notification"
            yield Finding(route.node.span, message, "group_by: [alertname, service]")
        return
    labels = texts(entry)
    if not labels:
        message = "an empty group_by gathers all alerts of this route into one notification"
        yield Finding(entry.span, message, "group_by: [alertname, service]")
    for label in labels:
        if label.value == ALL and len(labels) > 1:
            message = f"{ALL!r} means every label, so Alertmanager refuses others beside it"
            yield Finding(label.span, message, severity="error")
        elif label.value == ALL:
            yield Finding(label.span, f"{ALL!r} gathers nothing: each alert is a notification of its own")
        elif label.value in _FINE:
            message = f"grouped by {label.value}: an outage of forty of them is forty notifications"
            yield Finding(label.span, message, "the labels of what people repair: alertname, service")


CHECK = Check("route-group-by", "warning", ("alertmanager",), _run)
