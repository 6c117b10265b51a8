"""Everything that one run looks at: the files that were read, the contract, the settings, the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from obs.lint.check import Finding, Kind
from obs.lint.contract import Contract
from obs.lint.promql.labels import ANY, Labels, Producer
from obs.lint.promql.nodes import Call, Selector
from obs.lint.query import Query
from obs.lint.read.rules import Rule, RuleFile
from obs.lint.settings import Settings
from obs.lint.source import Source

if TYPE_CHECKING:
    from obs.lint.live import Live

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Document:
    """One file: what it is, and what its reader made of it."""

    source: Source
    kind: Kind
    #: `RuleFile`, `TestFile`, ... by kind; None when it is too broken to be read.
    content: Any
    #: What the reader itself found: (id of the check, finding).
    broken: Sequence[tuple[str, Finding]] = ()

    @property
    def file(self) -> str:
        """Its path as it was asked for."""
        return self.source.file


@dataclass(frozen=True, eq=False)
class Project:
    """What checks look at."""

    documents: Sequence[Document]
    settings: Settings = field(default_factory=Settings)
    #: What signals exist; None when nobody said.
    contract: Contract | None = None
    #: A server that can be asked; None offline.
    live: Live | None = None
    today: dt.date = dt.date.min

    def of(self, content: type[T]) -> list[T]:
        """Return what was read as `content`: ``project.of(RuleFile)``."""
        return [document.content for document in self.documents if isinstance(document.content, content)]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of every rule file."""
        return tuple(rule for file in self.of(RuleFile) for rule in file.rules)

    @cached_property
    def labels(self) -> dict[Rule, Labels]:
        """Labels of the series of alerts, as far as somebody has asked for them; see `carried`."""
        return {}

    @cached_property
    def static_labels(self) -> dict[Rule, frozenset[str]]:
        """Labels that rules give their alerts, as far as somebody has asked for them; see `carried`."""
        return {}

    @cached_property
    def alerts(self) -> tuple[Rule, ...]:
        """Every alert of every rule file."""
        return tuple(rule for rule in self.rules if rule.is_alert)

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """Every query of every file, of any language."""
        return tuple(
            query for document in self.documents for query in getattr(document.content, "queries", ())
        )

    @cached_property
    def promql(self) -> tuple[Query, ...]:
        """Every PromQL query that can be parsed."""
        return tuple(
            query for query in self.queries if query.language == "promql" and query.parsed.root is not None
        )

    @cached_property
    def selectors(self) -> Mapping[str, list[tuple[Query, Selector]]]:
        """Every selector with its query, by metric: what is true of a metric is asked of it once."""
        found: dict[str, list[tuple[Query, Selector]]] = {}
        for query in self.promql:
            for selector in query.parsed.selectors:
                found.setdefault(selector.name, []).append((query, selector))
        return found

    @cached_property
    def _calls(self) -> Mapping[str, list[tuple[Query, Call]]]:
        found: dict[str, list[tuple[Query, Call]]] = {}
        for query in self.promql:
            for call in query.parsed.calls:
                found.setdefault(call.func, []).append((query, call))
        return found

    def calls(self, functions: Iterable[str]) -> Iterator[tuple[Query, Call]]:
        """Yield every call of one of `functions` with its query."""
        for function in sorted(functions):
            yield from self._calls.get(function, ())

    @cached_property
    def produced(self) -> Producer:
        """Computes the labels of the results of queries."""
        return Producer(self.contract.labels_of if self.contract is not None else _anything)

    def has(self, kinds: Iterable[Kind]) -> bool:
        """Tell whether a file of one of these kinds was read."""
        return not self._kinds.isdisjoint(kinds)

    @cached_property
    def _kinds(self) -> frozenset[Kind]:
        return frozenset(document.kind for document in self.documents)


def _anything(_: str) -> Labels:
    return ANY
