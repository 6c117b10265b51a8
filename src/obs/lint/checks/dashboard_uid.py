"""The name of a dashboard in links: missing, too long, or given twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard

LONGEST = 40
_LEGAL = re.compile(r"[A-Za-z0-9_-]+\Z")


def _run(project: Project) -> Iterator[Finding]:
    seen: dict[str, Dashboard] = {}
    for dashboard in project.of(Dashboard):
        uid = dashboard.uid
        if not uid:
            hint = "without one each installation makes its own, and links lead nowhere"
            yield Finding(dashboard.heading.head, "the dashboard has no uid", hint, severity="info")
            continue
        if len(uid) > LONGEST or not _LEGAL.match(uid):
            message = f"uid {uid!r}: expected at most {LONGEST} letters, digits, - and _"
            yield Finding(dashboard.root.near("uid").head, message)
        twin = seen.setdefault(uid, dashboard)
        if twin is not dashboard:
            message = f"uid {uid!r} is that of {twin.source.file} too"
            yield Finding(dashboard.root.near("uid").head, message, "Grafana keeps one of the two")


CHECK = Check("dashboard-uid", "error", ("dashboard",), _run)
