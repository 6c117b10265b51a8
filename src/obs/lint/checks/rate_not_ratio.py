"""Events a second, compared and described as if they were a share of all events."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.promql.nodes import Matcher, Selector
from obs.lint.promql.shape import Condition, conditions, rated
from obs.lint.promql.tokens import extent
from obs.lint.read.rules import Rule

#: Words by which a person says that a share is meant.
_SAYS_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent|per cent)", re.IGNORECASE)
#: Not the end of "operation".
_NAMES_SHARE = re.compile(
    r"Ratio(?![a-z])|(?:^|_)ratio(?:_|$)|[Pp]ercent|(?:error|failure|fail)[ _]?rate(?![a-z])|(?:Error|Failure|Fail)Rate(?![a-z])"
)
_TIME = re.compile(r"seconds(?:_total|_sum)?$")
#: Matchers that pick what went wrong out of all that happened.
_BAD_LABELS = re.compile(r"(?:^|_)(?:status|code|result|outcome|error|error_type|success|state|class)(?:_|$)")
_BAD_VALUES = re.compile(
    r"\^?(?:5|\[?45|error|fail|false|timeout|exception|rejected|denied|abort|\.\+)", re.IGNORECASE
)


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        query = alert.query
        root = query.parsed.root if query is not None and query.language == "promql" else None
        if query is None or root is None:
            continue
        for condition in conditions(root):
            bad = rated(condition.value)
            if bad is None or condition.op not in {">", ">="} or not 0 < condition.limit <= 1:
                continue
            said, named = _said(alert, condition.limit), _named(alert, condition.limit)
            # Seconds a second are a share: of the time.
            if _TIME.search(bad.name) or not (said or named):
                continue
            yield Finding(
                query.whole(condition.value),
                f"this is events a second, not a share of all: {condition.op} {condition.limit:g} is "
                f"{condition.limit:g} of them a second, however many go well",
                f"{said or named}; divide by the rate of all events",
                _divided(alert, condition, bad, project) if said else None,
                severity=None if said else "warning",
            )


def _said(alert: Rule, limit: float) -> str:
    """Return where the alert says in percent what its limit is; empty when it does not."""
    for name in ("summary", "description", "message", "title"):
        for match in _SAYS_SHARE.finditer(alert.annotation(name)):
            if abs(float(match[1]) / 100 - limit) < 1e-9:
                return f"its {name} says {match.group()}"
    return ""


def _named(alert: Rule, limit: float) -> str:
    """Return how the alert's name says that it means a share; empty when it does not."""
    return f"its name is {alert.name.value}" if limit < 1 and _NAMES_SHARE.search(alert.name.value) else ""


def _divided(alert: Rule, condition: Condition, bad: Selector, project: Project) -> Fix | None:
    """Return the edit that makes a share of the rate, grouped by what identifies a service."""
    query = alert.query
    picks = [matcher for matcher in bad.matchers if _picks_bad(matcher)]
    if query is None or not picks:
        return None
    start, end = extent(query.text.value, query.parsed, condition.value)
    written = query.text.at(start, end - start)
    text = written.source.text[written.start : written.end]
    if text != query.text.value[start:end]:
        return None  # folded or escaped: a person sees better where to cut
    total = text
    for matcher in picks:
        pattern = rf"""{matcher.label}\s*{re.escape(matcher.op)}\s*(?:"[^"]*"|'[^']*')\s*,?\s*"""
        total = re.sub(pattern, "", total, count=1)
    total = re.sub(r",\s*\}", "}", total).replace("{}", "")
    by = ", ".join(project.settings.by)
    if condition.value is not query.parsed.root and text.startswith(("rate", "irate", "increase")):
        head = f"sum by ({by}) "
        return Fix(
            "divide by all events", (Edit(written.start, written.end, f"{head}({text}) / {head}({total})"),)
        )
    return Fix("divide by all events", (Edit(written.start, written.end, f"{text} / {total}"),))


def _picks_bad(matcher: Matcher) -> bool:
    return (
        matcher.op in {"=", "=~"}
        and bool(_BAD_LABELS.search(matcher.label))
        and bool(_BAD_VALUES.match(matcher.value))
    )


CHECK = Check("rate-not-ratio", "error", ("rules",), _run)
