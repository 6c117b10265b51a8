"""Several values at once match only as a regular expression: `=` compares with the text ``a|b``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.query import Query
from obs.lint.read.data_sources import REFERENCE
from obs.lint.read.grafana import Dashboard
from obs.lint.read.json_tree import Written

_EQUALS = re.compile(r"""(?P<label>\w+)\s*(?P<op>!?=)\s*(?P<quote>["'])(?P<value>[^"'\n]*)(?P=quote)""")


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        several = {name for name, v in dashboard.variable.items() if v.multi or v.include_all}
        for query in dashboard.queries:
            for match in _EQUALS.finditer(query.text.value) if several else ():
                reference = REFERENCE.fullmatch(match["value"])
                name = reference and (reference["plain"] or reference["braced"] or reference["old"])
                # In a panel or row that is repeated for each value it stands for one of them.
                if name not in several or name in _repeated(dashboard, query):
                    continue
                at = query.text.at(match.start("op"), len(match["op"]))
                written = "=~" if match["op"] == "=" else "!~"
                message = f"{query.owner}: {match['label']}{match['op']} compares with several values of ${name} at once"
                fix = Fix(f"compare with {written}", (Edit(at.start, at.end, written),))
                yield Finding(at, message, f"write {match['label']}{written}", fix)


def _repeated(dashboard: Dashboard, query: Query) -> set[str]:
    """Return the variables over whose values the panel of a query, or its row, is repeated."""
    text = query.text
    if not isinstance(text, Written):
        return set()
    row = ""
    for panel in dashboard.panels:
        row = panel.value.word("repeat") if panel.type == "row" else row
        way = panel.value.way
        if panel.type != "row" and text.of.way[: len(way)] == way:
            held = dashboard.root[way[0]][way[1]].word("repeat")
            return {row, held, panel.value.word("repeat")}
    return set()


CHECK = Check("variable-multi-equals", "warning", ("dashboard",), _run)
