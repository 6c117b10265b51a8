"""A query that Prometheus would refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for query in project.queries:
        if query.language == "promql" and query.parsed.root is None:
            if query.use in {"panel", "variable", "annotation"} and _is_filled_in(query.text.value):
                message = "not checked: a variable stands for a part of the query that is no value"
                yield Finding(query.span, message, severity="info")
            else:
                yield Finding(query.span, f"no PromQL: {query.parsed.error}")


def _is_filled_in(text: str) -> bool:
    """Tell whether a variable stands outside of strings and windows: for an operator, a name, a function."""
    return bool(_VARIABLE.search(_LITERAL.sub("", text)))


_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|\[[^\]]*\]')
_VARIABLE = re.compile(r"\$(?!__)\w|\$\{(?!__)")


CHECK = Check("broken-promql", "error", ("rules", "dashboard", "runbook"), _run)
