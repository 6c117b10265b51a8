"""A query of any file: its text, where it stands and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from obs.lint.promql.nodes import Node
from obs.lint.promql.parse import Parsed, parse
from obs.lint.promql.tokens import extent, locate
from obs.lint.source import Located, Span

Language: TypeAlias = Literal["promql", "logql", ""]
#: What becomes of the result.
Use: TypeAlias = Literal["alert", "record", "panel", "variable", "annotation", "runbook"]


@dataclass(frozen=True, eq=False)
class Query:
    """A query with the place that it was read from."""

    text: Located
    use: Use
    #: Who asks, in words: ``alert HighErrorRate``, ``panel Errors``.
    owner: str = ""
    language: Language = "promql"

    @cached_property
    def parsed(self) -> Parsed:
        """The tree; every text is parsed once."""
        return parse(self.text.value)

    @property
    def span(self) -> Span:
        """All of it."""
        return self.text.span

    def at(self, node: Node, label: str = "") -> Span:
        """Return where a node of its tree begins, or the word `label` in it: a selector's or a grouping's."""
        parsed = self.parsed
        offset, length = locate(self.text.value, parsed, node, label)
        return self.text.at(offset, length)

    def whole(self, node: Node) -> Span:
        """Return where a call, an aggregation or a selector was written, arguments and braces included."""
        start, end = extent(self.text.value, self.parsed, node)
        return self.text.at(start, end - start)
