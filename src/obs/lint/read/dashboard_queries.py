"""The queries of a dashboard that we can read: of panels, of variables and of annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from obs.lint.query import Query
from obs.lint.read.data_sources import data_source, language_of
from obs.lint.read.grafana import Panel, Target, Variable
from obs.lint.read.json_tree import Value
from obs.lint.source import Span


def query_of(panel: Panel, target: Target) -> Query | None:
    """Return the query of a panel; None when there is none, or none in a language that we read."""
    if not target.language or not target.text.text.strip():
        return None
    return Query(target.text.written, "panel", panel.name, target.language)


def queries(
    panels: Sequence[Panel], variables: Sequence[Variable], annotations: Value, types: Mapping[str, str]
) -> Iterator[Query]:
    """Yield every query; `types` are those of the variables that choose a data source."""
    for panel in panels:
        for target in panel.targets:
            found = query_of(panel, target)
            if found is not None:
                yield found
    for variable in variables:
        text = _asked(variable)
        if text is not None:
            yield Query(text, "variable", f"variable {variable.name}")
    for value in annotations:
        found = _annotation(value, types)
        if found is not None:
            yield found


class Part(NamedTuple):
    """A piece of a string, which looks up where it stands only when it is asked."""

    value: str
    of: Value
    #: Where it begins in the string.
    offset: int

    @property
    def span(self) -> Span:
        """All of it."""
        return self.of.written.at(self.offset, len(self.value))

    def at(self, offset: int, length: int = 1) -> Span:
        """Return where `length` characters of the piece from `offset` on were written."""
        return self.of.written.at(self.offset + offset, length)


def _asked(variable: Variable) -> Part | None:
    """Return the PromQL inside of a variable's query: what label_values and query_result ask."""
    if (
        variable.type != "query"
        or not variable.query
        or language_of(variable.source, variable.text)[0] == "logql"
    ):
        return None
    match = _ASKED.match(variable.query)
    if match is None or not (match["selector"] or match["expr"]):
        return None
    group = "selector" if match["selector"] else "expr"
    inner = match[group].rstrip()
    return Part(inner, variable.text, match.start(group))


_ASKED = re.compile(
    r"\s*(?:label_values\(\s*(?:(?P<selector>.+?)\s*,)\s*[\w$\{}\[\]]+\s*\)|query_result\((?P<expr>.+)\))\s*\Z",
    re.DOTALL,
)


def _annotation(value: Value, types: Mapping[str, str]) -> Query | None:
    source = data_source(value["datasource"], types)
    language, _ = language_of(source, value["expr"])
    if not language or not value["expr"].text.strip():
        return None
    return Query(value["expr"].written, "annotation", f"annotation {value['name'].text}".rstrip(), language)
