"""Which dashboard and panel an address of Grafana leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qs

from obs.lint import urls
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard
from obs.lint.read.rules import Rule
from obs.lint.read.runbooks import Page
from obs.lint.read.specs import SpecFile
from obs.lint.source import Span

_PATH = re.compile(r"/d(?:-solo)?/(?P<uid>[^/?#]+)")
ANNOTATIONS = ("dashboard_url", "dashboard", "grafana_url", "panel_url")


class Address(NamedTuple):
    """An address of a dashboard, of one panel when it names one; `host` is "" for a relative one."""

    host: str
    uid: str
    panel: int | None


class Link(NamedTuple):
    """An address where it is written."""

    owner: str
    address: Address
    span: Span


def address(url: str) -> Address | None:
    """Return what an address of Grafana leads to; None for any other address."""
    if "/d/" not in url and "/d-solo/" not in url:
        return None
    parts = urls.split(url)
    match = _PATH.search(parts.path)
    if match is None:
        return None
    uid = match["uid"]
    if "{{" in uid or "$" in uid or "[[" in uid:
        return None
    return Address(parts.netloc, uid, _panel(parts.query))


def _panel(query: str) -> int | None:
    if "anel" not in query:
        return None
    keys = parse_qs(query)
    chosen = next((keys[key][0] for key in ("viewPanel", "panelId", "fullscreenPanel") if key in keys), "")
    number = chosen.removeprefix("panel-")
    return int(number) if number.isdigit() else None


@dataclass(frozen=True)
class Dashboards:
    """The dashboards that were read, by uid, and where they are published."""

    by_uid: dict[str, Dashboard]
    hosts: frozenset[str]

    def leads(self, to: Address) -> bool | None:
        """Tell whether an address leads to something; None when it is another Grafana's affair."""
        found = self.by_uid.get(to.uid)
        if found is None:
            return False if to.host in self.hosts else None
        return to.panel is None or to.panel in {panel.id for panel in found.panels}


def dashboards(project: Project, links: list[Link]) -> Dashboards:
    """Return the dashboards of a project.

    A host is theirs when a spec says so, or when some link to it leads to one of them.
    """
    by_uid = {dashboard.uid: dashboard for dashboard in project.of(Dashboard) if dashboard.uid}
    hosts = {link.address.host for link in links if link.address.uid in by_uid} | {""}
    hosts |= {urls.split(spec.service.links.grafana).netloc for spec in project.of(SpecFile) if spec.service}
    return Dashboards(by_uid, frozenset(hosts))


def links(project: Project) -> Iterator[Link]:
    """Yield every address of a dashboard in alerts, runbooks and dashboards."""
    for alert in project.alerts:
        yield from of_alert(alert)
    for page in project.of(Page):
        for link in page.links:
            found = address(link.target)
            if found is not None:
                yield Link(f"runbook {page.name}", found, page.at(link.line, link.target))
    for dashboard in project.of(Dashboard):
        for value in dashboard.links:
            found = address(value.text)
            if found is not None:
                yield Link(f"dashboard {dashboard.title}", found, value.head)


def of_alert(alert: Rule) -> Iterator[Link]:
    """Yield the addresses of dashboards that an alert names."""
    for name in ANNOTATIONS:
        entry = alert.annotations.get(name)
        text = entry.node.text if entry is not None else None
        found = address(text.value) if text is not None else None
        if text is not None and found is not None:
            yield Link(f"alert {alert.name.value}", found, text.span)
