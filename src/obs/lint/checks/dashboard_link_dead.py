"""A link to a dashboard or panel that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint import dashboard_links
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    links = list(dashboard_links.links(project))
    known = dashboard_links.dashboards(project, links)
    for link in links if known.by_uid else ():
        if known.leads(link.address) is not False:
            continue
        uid, panel = link.address.uid, link.address.panel
        if uid in known.by_uid:
            message = f"{link.owner} leads to panel {panel}, which the dashboard {uid!r} does not have"
            yield Finding(
                link.span,
                message,
                "an id changes when a panel is made anew; obs derives it from the panel's key",
            )
        else:
            yield Finding(
                link.span,
                f"{link.owner} leads to the dashboard {uid!r}, which is not among those that were read",
                suggest(uid, known.by_uid),
                severity="warning",
            )


CHECK = Check("dashboard-link-dead", "error", ("rules", "runbook", "dashboard"), _run)
