"""An alert that fires whenever its series are there."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import COMPARISONS, Node, Selector
from obs.lint.promql.parse import Parsed

#: Functions whose result is empty unless something is wrong.
_DECIDING = frozenset({"absent", "absent_over_time"})


def _run(project: Project) -> Iterator[Finding]:
    for query in project.promql:
        if query.use == "alert" and query.parsed.selectors and not _decides(query.parsed):
            yield Finding(
                query.span,
                "no comparison: it fires as long as there are series, whatever their values",
                "… > 0, or absent(…)",
            )


def _decides(parsed: Parsed) -> bool:
    compares = any(
        (node.op in COMPARISONS and not node.is_bool) or node.op in {"unless", "and"}
        for node in parsed.binaries
    )
    return compares or any(call.func in _DECIDING for call in parsed.calls) or _is_flag(parsed.root)


def _is_flag(root: Node | None) -> bool:
    """Tell whether the series are themselves alerts, or recorded to be there only when something is wrong."""
    return isinstance(root, Selector) and (root.name == "ALERTS" or ":" in root.name)


CHECK = Check("alert-without-comparison", "warning", ("rules",), _run)
