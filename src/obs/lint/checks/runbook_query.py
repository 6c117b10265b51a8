"""A diagnosis without a query that can be run."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.parse import parse
from obs.lint.read.runbooks import Block, Page

_LANGUAGES = frozenset({"logql", "traceql", "sql"})
#: Blocks that may hold PromQL although they do not say so.
_UNNAMED = frozenset({"", "text", "prometheus"})


def _run(project: Project) -> Iterator[Finding]:
    for page in project.of(Page):
        section = page.section("Diagnosis")
        if page.is_index or section is None:
            continue
        first, end = section
        blocks = [block for block in page.blocks if first <= block.line < end]
        if not any(_is_query(block) for block in blocks):
            message = f"{page.name}: no query under Diagnosis that can be run"
            yield Finding(page.at(first - 1), message, "a block ```promql with the alert's own labels")


def _is_query(block: Block) -> bool:
    if block.language in _LANGUAGES:
        return bool(block.text.strip())
    if block.language not in {"promql", *_UNNAMED}:
        return False
    parsed = parse(block.text.strip())
    return bool(parsed.selectors) or (block.language == "promql" and bool(parsed.calls))


CHECK = Check("runbook-query", "warning", ("runbook",), _run)
