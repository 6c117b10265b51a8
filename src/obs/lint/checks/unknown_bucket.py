"""A bucket bound that the histogram does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Matcher

#: A regular expression that lists values: ``0.5``, ``1|1\\.0``.
_LISTED = re.compile(r"(?:[0-9.eE+\\-]|Inf|\|)+\Z")


def _run(project: Project) -> Iterator[Finding]:
    contract = project.contract
    if contract is None:
        return
    for name, uses in project.selectors.items():
        metric = contract.metrics.get(name)
        if metric is None or metric.kind != "bucket":
            continue
        for query, selector in uses:
            for matcher in selector.matchers:
                if matcher.label == "le" and not any(
                    bound in metric.buckets or bound == float("inf") for bound in _bounds(matcher)
                ):
                    known = ", ".join(f"{bound:g}" for bound in metric.buckets)
                    yield Finding(
                        query.at(selector, "le"),
                        f"{selector.name} has no bucket le={matcher.value!r}",
                        f"declared: {known}",
                    )


def _bounds(matcher: Matcher) -> Iterator[float]:
    """Yield the bounds that a matcher asks for; infinity, which is always there, when it cannot be told."""
    listed = matcher.op == "=" or (matcher.op == "=~" and _LISTED.match(matcher.value))
    if not listed:
        yield float("inf")
        return
    values = [matcher.value] if matcher.op == "=" else matcher.value.replace("\\", "").split("|")
    yield from map(_bound, values)


def _bound(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        # A variable of a dashboard may be any of them.
        return float("inf") if "$" in value else float("nan")


CHECK = Check("unknown-bucket", "error", ("rules", "dashboard", "runbook"), _run, needs="contract")
