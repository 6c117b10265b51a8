"""Keys of rows of panels of a service's own."""

from __future__ import annotations

from obs.generate.spec.shape.kinds import Items, Key, Line, Section, Text

_EXPR = Key("expr", Text("PromQL"), "What is drawn.", example="sum(rate(x_total[5m]))")
_LEGEND = Key("legend", Line(), "Name of each line.", example='"{{http_route}}"')
QUERY = Section((Key("expr", Text("PromQL"), "What is drawn.", True), _LEGEND))
PANEL = Section(
    (
        Key("title", Line(), "Its title, by which links find it.", True, example="Baskets"),
        Key("description", Line(), "What it shows.", True, example="Baskets that were filled."),
        Key("unit", Line("a unit of Grafana"), "Unit of its axis.", True, example="short"),
        Key("queries", Items(QUERY), "Several queries, in place of `expr`."),
        _EXPR,
        _LEGEND,
    ),
    one_of=(("expr", "queries"),),
)
ROW = Section(
    (
        Key("title", Line(), "Title of the row.", True, example="Baskets"),
        Key("panels", Items(PANEL), "Its panels.", True),
    )
)
DASHBOARD = Section((Key("rows", Items(ROW), "Rows below the generated ones.", True),))
