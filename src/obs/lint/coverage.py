"""How much of what should stand beside each alert is there, as numbers with the names of what is missing.

A kind whose material was not read (no Alertmanager configuration, no dashboards) is not measured: a figure
of nothing would look like one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from obs.generate.model import Place
from obs.lint import alert_labels, dashboard_links, runbook_links
from obs.lint.dashboard_links import Dashboards
from obs.lint.links import Link, dashboards_linked, runbooks_linked
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration
from obs.lint.read.grafana import Dashboard
from obs.lint.read.rules import Rule
from obs.lint.read.tests import TestFile
from obs.lint.routing import arrivals
from obs.lint.shown import Shown
from obs.lint.tested import tested

KINDS = ("tests", "runbooks", "panels", "routes", "runbook-links", "dashboard-links")


@dataclass(frozen=True, slots=True)
class Missing:
    """One that is not covered, and why."""

    name: str
    place: Place
    why: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    kind: str
    #: What is counted, in words.
    counts: str
    total: int = 0
    missing: tuple[Missing, ...] = ()
    #: Why there is no figure; "" when there is one.
    unmeasured: str = ""
    #: What was left out of the count, in words.
    note: str = ""

    @property
    def covered(self) -> int:
        """How many are there."""
        return self.total - len(self.missing)

    @property
    def percent(self) -> Decimal:
        """The share in per cent with one decimal, never rounded up: 100 means all."""
        if not self.total:
            return Decimal(100)
        return (Decimal(100) * self.covered / self.total).quantize(Decimal("0.1"), ROUND_DOWN)

    def reaches(self, minimum: Decimal) -> bool:
        """Tell whether at least `minimum` per cent are there; what is not measured reaches nothing."""
        return not self.unmeasured and self.covered * 100 >= minimum * self.total


def measure(project: Project) -> tuple[Figure, ...]:
    """Return the figure of each kind, in the order of `KINDS`."""
    pages = runbook_links.library(project)
    known = dashboard_links.dashboards(project, list(dashboard_links.links(project)))
    return (
        _tests(project),
        _runbooks(project, pages),
        _panels(project, known),
        _routes(project),
        _links("runbook-links", "links of runbooks that lead somewhere", runbooks_linked(project, pages), bool(pages.pages), "no runbook was read"),
        _links("dashboard-links", "links to dashboards that lead somewhere", dashboards_linked(project, known), bool(known.by_uid), "no dashboard was read"),
    )  # fmt: skip


def _tests(project: Project) -> Figure:
    counts = "alerts that a test has seen fire"
    seen = tested(project)
    logs = [alert for alert in project.alerts if alert.query is not None and alert.query.language != "promql"]
    # promtool runs no tests of these, and no tool of Loki's makers does: they count where ours are tested.
    if any(id(alert) in seen for alert in logs):
        logs = []
    left_out = set(map(id, logs))
    alerts = [alert for alert in project.alerts if id(alert) not in left_out]
    if not alerts:
        return Figure("tests", counts, unmeasured="no alert was read")
    why = "no test expects it to fire" if project.of(TestFile) else "no test was read"
    missing = (_missing(alert, why) for alert in alerts if id(alert) not in seen)
    note = f"{len(logs)} on logs not counted: promtool cannot test them" if logs else ""
    return Figure("tests", counts, len(alerts), tuple(missing), note=note)


def _runbooks(project: Project, pages: runbook_links.Library) -> Figure:
    counts = "alerts whose runbook exists"
    if not project.alerts or not pages.pages:
        return Figure(
            "runbooks", counts, unmeasured="no runbook was read" if project.alerts else "no alert was read"
        )
    leading = {id(alert): target for alert, _, target in runbook_links.leading(project, pages)}
    missing = []
    for alert in project.alerts:
        target = leading.get(id(alert))
        if target is None:
            missing.append(_missing(alert, "no runbook_url"))
        elif target.page is None:
            missing.append(_missing(alert, "its runbook_url leads to no page"))
        elif not target.page.says_something:
            missing.append(_missing(alert, "nothing stands on the page of its runbook_url"))
    return Figure("runbooks", counts, len(project.alerts), tuple(missing))


def _panels(project: Project, known: Dashboards) -> Figure:
    counts = "alerts that a panel shows"
    dashboards = project.of(Dashboard)
    # What reads no series (the heartbeat) has nothing to show.
    alerts = [alert for alert in project.alerts if not alert_labels.is_heartbeat(alert)]
    if not alerts or not dashboards:
        return Figure("panels", counts, unmeasured="no dashboard was read" if alerts else "no alert was read")
    shown = Shown(project, known)
    missing = (_missing(alert, why) for alert in alerts if (why := shown.unseen(alert)))
    heartbeats = len(project.alerts) - len(alerts)
    note = f"{heartbeats} that always fire{'s' if heartbeats == 1 else ''} not counted" if heartbeats else ""
    return Figure("panels", counts, len(alerts), tuple(missing), note=note)


def _routes(project: Project) -> Figure:
    counts = "alerts that reach somebody"
    configs = [config for config in project.of(Configuration) if config.route is not None]
    if not project.alerts or not configs:
        why = "no Alertmanager configuration was read" if project.alerts else "no alert was read"
        return Figure("routes", counts, unmeasured=why)
    # An alert of severity none is kept from people on purpose.
    alerts = [
        alert
        for alert in project.alerts
        if alert.label("severity") != "none" or alert_labels.is_heartbeat(alert)
    ]
    missing = (
        _missing(alert, "it ends at a receiver that tells nobody")
        for alert in alerts
        if not any(_is_told(config, alert, project) for config in configs)
    )
    quiet = len(project.alerts) - len(alerts)
    note = f"{quiet} of severity none not counted" if quiet else ""
    return Figure("routes", counts, len(alerts), tuple(missing), note=note)


def _is_told(config: Configuration, alert: Rule, project: Project) -> bool:
    assert config.route is not None  # noqa: S101 - the caller has left out configurations without routes
    ends = arrivals(config.route, alert_labels.of(alert, project.settings))
    names = {arrival.route.receiver for arrival in ends}
    return any(config.receiver(name) is not None and not config.silent(name) for name in names)


def _links(kind: str, counts: str, links: Iterable[Link], measured: bool, why: str) -> Figure:
    if not measured:
        return Figure(kind, counts, unmeasured=why)
    found = list(links)
    missing = (Missing(link.owner, link.place, link.dead) for link in found if link.dead)
    return Figure(kind, counts, len(found), tuple(sorted(missing, key=lambda one: one.place)))


def _missing(alert: Rule, why: str) -> Missing:
    return Missing(alert.name.value, alert.name.span.place, why)
