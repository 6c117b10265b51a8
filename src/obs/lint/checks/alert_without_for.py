"""An alert that fires on a single evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.alert_labels import QUIET
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Call, Node
from obs.lint.promql.parse import Parsed
from obs.lint.promql.shape import Condition, conditions, inside, selectors
from obs.lint.read.rules import Rule

#: The window that the name of a recorded rate ends in.
_RECORDED_WINDOW = re.compile(r"(?:rate|increase|ratio)_?\w*?(\d+(?:s|m|h|d|w))$")

#: Seconds of something that only the clock moves.
_SLOW = 600
_CLOCK = re.compile(
    r"_timestamp|_ttl|expir|_age(?:_|$)|not_after|(?:start|end|completion|schedule|success)_time"
)
_COUNTING = frozenset({"increase", "changes", "resets"})


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        quiet = alert.label("severity").lower() in QUIET
        if alert.for_ is None and "for" not in alert.keys and not quiet and not _needs_none(alert):
            yield Finding(
                alert.name.span,
                f"{alert.name.value} has no `for`: one bad evaluation notifies somebody",
                "say how long it must hold, or `for: 0s` where a single evaluation is meant to do",
            )


def _needs_none(alert: Rule) -> bool:
    """Tell whether the expression itself says how long, or that once is enough."""
    if alert.query is None or alert.query.language != "promql":
        # A query of logs always counts over a window.
        return alert.query is not None
    parsed = alert.query.parsed
    if parsed.root is None:
        return False
    if not parsed.selectors or len(_windows(parsed)) > 1:
        # A heartbeat; or a short and a long window that must agree.
        return True
    return any(_counts(one.value) or _waits(one) for one in conditions(parsed.root))


def _waits(condition: Condition) -> bool:
    """Tell whether an age, or what is left until an end, is compared with minutes: one look is enough."""
    names = [selector.name for selector in selectors(condition.value)]
    return abs(condition.limit) >= _SLOW and any(_CLOCK.search(name) for name in names)


def _counts(node: Node) -> bool:
    """Tell whether `node` counts events over a window, which waits as `for` would."""
    node = inside(node)
    return isinstance(node, Call) and node.func in _COUNTING


def _windows(parsed: Parsed) -> set[str]:
    return {
        match[1] for one in parsed.selectors if (match := _RECORDED_WINDOW.search(one.name)) is not None
    } | {str(one.range_ms) for one in parsed.selectors if one.range_ms}


CHECK = Check("alert-without-for", "warning", ("rules",), _run)
