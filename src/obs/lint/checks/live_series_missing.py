"""A query of a metric that the server does not have."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    live = project.live
    if live is None:
        return
    written = {rule.name.value for rule in project.rules if not rule.is_alert}
    nearest: dict[str, str | None] = {}
    for query in project.promql:
        for selector in query.parsed.selectors:
            name = selector.name
            if not name or name in live.names or name in written or name.startswith(("ALERTS", "var_")):
                continue
            if name not in nearest:
                nearest[name] = suggest(name, live.names)
            yield Finding(query.at(selector), f"the server has no series {name!r}", nearest[name])


CHECK = Check("live-series-missing", "warning", ("rules", "dashboard", "runbook"), _run, needs="live")
