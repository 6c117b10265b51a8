"""A query that has no result on the server now, or that the server refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project

#: An alert is empty as long as all is well; what fills a page is not.
_USES = frozenset({"record", "panel", "runbook"})
#: Values of matchers that a dashboard's variables fill in.
_CHOSEN = re.compile(r"(\w+)\s*(?:=~|=)\s*\"[^\"]*\$[^\"]*\"")
_WINDOW = re.compile(r"\$(?:__rate_interval|__interval|__range|\{__\w+\})")


def _run(project: Project) -> Iterator[Finding]:
    live = project.live
    if live is None:
        return
    for query in project.promql:
        if query.use not in _USES:
            continue
        text = _WINDOW.sub("5m", _CHOSEN.sub(r'\1=~".*"', query.text.value))
        if "$" in text or "{{" in text:
            continue
        found = live.series(text)
        if isinstance(found, str):
            yield Finding(query.span, f"the server refuses it: {found}", severity="error")
        elif found == 0:
            yield Finding(query.span, "has no result on the server now")


CHECK = Check("live-query-empty", "warning", ("rules", "dashboard", "runbook"), _run, needs="live")
