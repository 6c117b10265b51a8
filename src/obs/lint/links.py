"""Every link between alerts, runbooks and dashboards that can be followed offline, and whether it leads somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from obs.generate.model import Place
from obs.lint import dashboard_links, page_links, runbook_links, urls
from obs.lint.dashboard_links import Dashboards
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard
from obs.lint.read.json_tree import Value
from obs.lint.runbook_links import Library


class Link(NamedTuple):
    """One link; `dead` says why it leads nowhere, "" when it leads somewhere."""

    owner: str
    place: Place
    dead: str


def runbooks_linked(project: Project, pages: Library) -> Iterator[Link]:
    """Yield alert -> page, page -> alert, dashboard -> page, and the links of pages to files and headings."""
    used: set[int] = set()
    for alert, text, target in runbook_links.leading(project, pages):
        used.add(id(target.page))
        dead = "" if target.page is not None else "leads to no page"
        if target.page is not None and target.anchor and target.anchor not in target.page.anchors:
            dead = f"leads to a heading #{target.anchor} that is not on the page"
        yield Link(f"alert {alert.name.value}", text.span.place, dead)
    for page in pages.pages.values() if project.alerts else ():
        dead = "" if id(page) in used else "no alert leads to it"
        yield Link(f"runbook {page.name}", page.at(page.title.line if page.title else 1).place, dead)
    for title, value, dead in from_dashboards(project, pages):
        yield Link(title, value.head.place, dead)
    for page, link, fault in page_links.followed(project):
        place = page.at(link.line, link.target).place
        yield Link(f"runbook {page.name}", place, fault[0] if fault else "")


def from_dashboards(project: Project, pages: Library) -> Iterator[tuple[str, Value, str]]:
    """Yield each link of a dashboard to a page: who has it, where it is written, and why it is dead or ""."""
    bases = runbook_links.bases(project) or runbook_links.inferred(project, pages)
    folders = {key[:length] for key in pages.pages for length in range(len(key))}
    for dashboard in project.of(Dashboard) if pages.pages else ():
        for value in dashboard.links:
            url = value.text
            base = next((one for one in bases if runbook_links.is_under(url, one)), None)
            # What is filled in when somebody clicks cannot be followed here.
            if base is None or "$" in url or "{{" in url:
                continue
            way = tuple(part.lower() for part in urls.split(url.removeprefix(base)).path.split("/") if part)
            # A folder is shown as the list of its pages, which the place of publication makes.
            if way not in folders:
                dead = "" if pages.target(url).page is not None else "leads to no page"
                yield f"dashboard {dashboard.title}", value, dead


def dashboards_linked(project: Project, known: Dashboards) -> Iterator[Link]:
    """Yield every link to a dashboard of this project's Grafana."""
    for link in dashboard_links.links(project):
        leads = known.leads(link.address)
        if leads is not None:
            yield Link(link.owner, link.span.place, "" if leads else "leads to no such dashboard or panel")
