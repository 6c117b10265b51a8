"""A query that has no result on the server now, or that the server refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.live import Live
from obs.lint.project import Project
from obs.lint.promql.nodes import Binary, Call, Selector, above
from obs.lint.promql.tokens import extent
from obs.lint.query import Query
from obs.verify.query_api import Refused, Unanswered

#: An alert is empty as long as all is well, so its selectors are asked; what fills a page is not.
_USES = frozenset({"record", "panel", "runbook"})
#: Values of matchers that a dashboard's variables fill in.
_CHOSEN = re.compile(r"(\w+)\s*(?:=~|=)\s*\"[^\"]*\$[^\"]*\"")
_WINDOW = re.compile(r"\$(?:__rate_interval|__interval|__range|\{__\w+\})")


def _run(project: Project) -> Iterator[Finding]:
    live = project.live
    if live is None:
        return
    for query in project.promql:
        if query.use == "alert":
            yield from _never_watched(query, live)
        if query.use not in _USES:
            continue
        text = _WINDOW.sub("5m", _CHOSEN.sub(r'\1=~".*"', query.text.value))
        if "$" in text or "{{" in text:
            continue
        found = live.series(text)
        if isinstance(found, Unanswered):
            yield Finding(query.span, f"could not be asked of the server: {found}")
        elif isinstance(found, Refused):
            yield Finding(query.span, f"the server refuses it: {found}", severity="error")
        elif found == 0:
            yield Finding(query.span, "has no result on the server now")


def _never_watched(query: Query, live: Live) -> Iterator[Finding]:
    """Yield the selectors of an alert that pick nothing: its comparison may be false, what it looks at must be there."""
    text = query.text.value
    for selector in query.parsed.selectors:
        # A name that the server does not have is the finding of another check.
        if not selector.matchers or selector.name not in live.names or _may_be_absent(selector):
            continue
        start, end = extent(text, query.parsed, selector)
        if live.series(text[start:end]) == 0:
            message = f"{text[start:end]} has no series on the server now: {query.owner} looks at nothing"
            yield Finding(query.at(selector), message, severity="info")


def _may_be_absent(selector: Selector) -> bool:
    """Tell whether the query asks on purpose for what need not be there."""
    return any(
        (isinstance(one, Call) and one.func.startswith("absent"))
        or (isinstance(one, Binary) and one.op in {"unless", "or"})
        for one in above(selector)
    )


CHECK = Check("live-query-empty", "warning", ("rules", "dashboard", "runbook"), _run, needs="live")
