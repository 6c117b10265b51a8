"""`dashboard:` of a spec: rows of panels of a service's own."""

from __future__ import annotations

import re

from obs.generate.model import ExtraPanel, ExtraRow, Place
from obs.generate.spec import fields
from obs.generate.spec.document import Node
from obs.generate.spec.shape.dashboard import DASHBOARD, PANEL, QUERY, ROW

_MOST_PANELS = 60


def read(node: Node) -> tuple[ExtraRow, ...]:
    """Read the rows, in the order in which they stand."""
    own = fields.mapping(node, "dashboard", DASHBOARD.names)
    rows = fields.required(own, "rows", node, "dashboard")
    taken: dict[str, Node] = {}
    found = tuple(
        _row(item, f"dashboard.rows.{number}", taken)
        for number, item in enumerate(fields.texts(rows, "dashboard.rows"), start=1)
    )
    if len(taken) > _MOST_PANELS:
        raise fields.refuse(rows, f"dashboard.rows: {len(taken)} panels, expected at most {_MOST_PANELS}")
    return found


def _row(node: Node, what: str, taken: dict[str, Node]) -> ExtraRow:
    own = fields.mapping(node, what, ROW.names)
    panels = fields.required(own, "panels", node, what)
    return ExtraRow(
        fields.text(fields.required(own, "title", node, what), f"{what}.title"),
        tuple(
            _panel(item, f"{what}.panels.{number}", taken)
            for number, item in enumerate(fields.texts(panels, f"{what}.panels"), start=1)
        ),
    )


def _panel(node: Node, what: str, taken: dict[str, Node]) -> ExtraPanel:
    own = fields.mapping(node, what, PANEL.names)
    title_node = fields.required(own, "title", node, what)
    title = fields.text(title_node, f"{what}.title")
    # The link to a panel lives as long as its title does, wherever the panel is moved.
    key = "extra-" + "-".join(re.findall(r"[a-z0-9]+", title.lower()))
    if key in taken:
        raise fields.refuse(title_node, f"{what}.title: another panel is called {title!r}")
    taken[key] = title_node
    if ("expr" in own) == ("queries" in own):
        raise fields.refuse(node, f"{what} needs exactly one of 'expr' and 'queries'")
    queries = [node]
    if "queries" in own:
        queries = list(fields.texts(own["queries"].node, f"{what}.queries"))
    return ExtraPanel(
        key=key,
        title=title,
        description=fields.text(fields.required(own, "description", node, what), f"{what}.description"),
        unit=fields.text(fields.required(own, "unit", node, what), f"{what}.unit"),
        queries=tuple(
            _query(item, what if "expr" in own else f"{what}.queries.{number}", known)
            for number, item in enumerate(queries, start=1)
            for known in [PANEL.names if "expr" in own else QUERY.names]
        ),
        place=node.place,
    )


def _query(node: Node, what: str, known: tuple[str, ...]) -> tuple[str, str, Place]:
    own = fields.mapping(node, what, known)
    expr = fields.required(own, "expr", node, what)
    legend = fields.text(own["legend"].node, f"{what}.legend") if "legend" in own else ""
    return fields.lines(expr, f"{what}.expr"), legend, expr.place
