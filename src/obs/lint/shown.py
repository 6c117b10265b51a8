"""Whether a panel shows what an alert is about: one that it names, or one that draws its metric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from obs.lint import dashboard_links
from obs.lint.dashboard_links import Dashboards
from obs.lint.project import Project
from obs.lint.query import Query
from obs.lint.read.dashboard_queries import query_of
from obs.lint.read.grafana import Dashboard, Panel, Target
from obs.lint.read.rules import Rule


class Shown:
    """What the panels of a project draw."""

    def __init__(self, project: Project, known: Dashboards) -> None:
        self._project = project
        self._known = known

    def unseen(self, alert: Rule) -> str:
        """Say why no panel shows an alert; "" when one does."""
        addresses = [link.address for link in dashboard_links.of_alert(alert)]
        if not addresses:
            return self._undrawn(alert)
        named = [panel for one in addresses for panel in self._panels(one)]
        if not named:
            return "its dashboard_url leads to no panel"
        if not any(target.text.text.strip() for panel in named for target in _visible(panel)):
            return "the panel of its dashboard_url draws nothing"
        queries = [query for panel in named for query in _drawn(panel)]
        return (
            "" if self._share(alert, queries) else "the panel of its dashboard_url draws none of its metrics"
        )

    def _share(self, alert: Rule, queries: Sequence[Query]) -> bool:
        """Tell whether an alert and `queries` read a metric in common, or may do so."""
        own = alert.query
        if own is None or {own.language, *(query.language for query in queries)} != {"promql"} or not queries:
            return True  # in a language that cannot be read here
        here, there = self._read([own]), self._read(queries)
        # What rules that were not read have recorded may be of any metric.
        return bool(here & there) or any(":" in name for name in here | there)

    def _panels(self, address: dashboard_links.Address) -> Iterator[Panel]:
        found = self._known.by_uid.get(address.uid)
        if found is not None and address.panel is not None:
            yield from (panel for panel in found.panels if panel.id == address.panel)

    def _undrawn(self, alert: Rule) -> str:
        query = alert.query
        if query is None or query.language != "promql":
            return "no dashboard_url"
        drawn = any(selector.name in self._everywhere for selector in query.parsed.selectors)
        return "" if drawn else "no dashboard_url, and no panel reads its metric"

    @cached_property
    def _everywhere(self) -> frozenset[str]:
        return frozenset(
            selector.name
            for dashboard in self._project.of(Dashboard)
            for panel in dashboard.panels
            for query in _drawn(panel)
            if query.language == "promql"
            for selector in query.parsed.selectors
        )

    @cached_property
    def _recorded(self) -> Mapping[str, frozenset[str]]:
        """What each recorded series was made of."""
        found: dict[str, set[str]] = {}
        for rule in self._project.rules:
            if not rule.is_alert and rule.query is not None and rule.query.language == "promql":
                names = {selector.name for selector in rule.query.parsed.selectors}
                found.setdefault(rule.name.value, set()).update(names)
        return {name: frozenset(names) for name, names in found.items()}

    def _read(self, queries: Iterable[Query]) -> frozenset[str]:
        """Return the metrics that queries read, and those that what they read was recorded from."""
        found: set[str] = set()
        waiting = {selector.name for query in queries for selector in query.parsed.selectors}
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting |= self._recorded.get(name, frozenset()) - found
        # The names of recordings that could be followed tell nothing more.
        return frozenset(name for name in found if name not in self._recorded)


def _visible(panel: Panel) -> Iterator[Target]:
    return (target for target in panel.targets if not target.hidden)


def _drawn(panel: Panel) -> Iterator[Query]:
    """Yield the queries that a panel draws, as far as they can be read."""
    for target in _visible(panel):
        query = query_of(panel, target)
        if query is not None:
            yield query
