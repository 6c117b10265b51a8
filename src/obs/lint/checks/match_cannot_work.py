"""Two sides whose series can never meet."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.labels import Producer, is_scalar
from obs.lint.promql.nodes import Binary


def _run(project: Project) -> Iterator[Finding]:
    for query in project.promql:
        if query.parsed.has_variables:
            continue
        for node in query.parsed.binaries:
            if node.op == "or" or is_scalar(node.lhs) or is_scalar(node.rhs):
                continue
            message = _never(node, project.produced)
            if message:
                yield Finding(
                    query.at(node),
                    message,
                    "match what both have: on (…), with group_left (…) where one has more",
                )


def _never(node: Binary, produced: Producer) -> str:
    left, right = produced(node.lhs), produced(node.rhs)
    if node.on is not None:
        for label in node.on:
            if left.may_have(label) != right.may_have(label):
                side = "left" if right.may_have(label) else "right"
                return f"never matches: the {side} side of {node.op} has no label {label!r}"
        return ""
    if left.is_open or right.is_open:
        return ""
    ignored = set(node.ignoring or ())
    mine, theirs = left.names - ignored, right.names - ignored
    if mine == theirs:
        return ""
    more, less = ("left", "right") if mine - theirs else ("right", "left")
    extra = ", ".join(sorted(mine - theirs or theirs - mine))
    return f"never matches: the {more} side of {node.op} has {extra}, which the {less} side has not"


CHECK = Check("match-cannot-work", "error", ("rules", "dashboard"), _run)
