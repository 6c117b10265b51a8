"""A query with a variable that the dashboard does not have asks for the literal text."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.data_sources import REFERENCE
from obs.lint.read.grafana import Dashboard

#: Grafana's own that do not begin with two underscores.
_OWN = frozenset({"timeFilter", "interval", "timeFrom", "timeTo"})


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        known = {*dashboard.variable, *dashboard.inputs}
        repeated = {
            item["value"].text
            for panel in dashboard.panels
            if panel.value.plain("scopedVars")
            for item in panel.value["scopedVars"].fields.values()
        }
        for query in dashboard.queries:
            for match in REFERENCE.finditer(query.text.value):
                name = match["plain"] or match["braced"] or match["old"]
                if name.isdigit() or name.startswith("__") or name in _OWN or name in known | repeated:
                    continue
                if query.text.value[: match.start()].endswith("\\"):
                    continue  # a dollar sign in a pattern
                at = query.text.at(match.start(), len(match.group()))
                message = f"{query.owner}: the dashboard has no variable {name!r}"
                yield Finding(at, message, suggest(name, known) or _known(known))


def _known(names: set[str]) -> str:
    return f"its variables: {', '.join(sorted(names))}" if names else "it has none"


CHECK = Check("variable-undefined", "error", ("dashboard",), _run)
