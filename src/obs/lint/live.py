"""What only a server can tell: which series exist, of which type, and whether a query has a result."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from obs.errors import VerifyError
from obs.verify.query_api import OPEN, Access, QueryApi, Refused, no_prometheus

_TIMEOUT_S = 15.0
#: Distinct queries that one run asks; beyond them a run would be a load test.
MAX_QUERIES = 5000


class Live:
    """A Prometheus, or what speaks its API, that is asked while files are linted.

    Every method raises `VerifyError` when it does not answer; an answer is asked for once.
    """

    def __init__(self, url: str, access: Access = OPEN) -> None:
        self._api = QueryApi(url, option="--live", timeout_s=_TIMEOUT_S, access=access)
        self._results: dict[str, int | Refused] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all series of the last hours."""
        found = self._must("label/__name__/values")
        if not isinstance(found, list):
            raise no_prometheus(self._api.url)
        return frozenset(map(str, found))

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Name of a metric -> ``counter``, ``gauge``, ``histogram``... as its exporter says."""
        found = self._must("metadata")
        try:
            return {name: entries[0].get("type", "") for name, entries in found.items() if entries}
        except (AttributeError, KeyError, TypeError):
            raise no_prometheus(self._api.url) from None

    def reach(self) -> None:
        """Ask what every run asks, so that a server that does not answer is seen."""
        _ = self.names

    def close(self) -> None:
        """Let the connections go."""
        self._api.close()

    def series(self, query: str) -> int | Refused | None:
        """Return how many series a query has now, or the server's complaint; None beyond `MAX_QUERIES`."""
        if query not in self._results:
            if len(self._results) >= MAX_QUERIES:
                return None
            self._results[query] = self._count(query)
        return self._results[query]

    def type_of(self, series: str) -> str:
        """Return the type of the metric that a series belongs to; empty when nobody says."""
        for suffix in ("", "_total", "_bucket", "_count", "_sum"):
            if series.endswith(suffix) and (known := self.types.get(series[: len(series) - len(suffix)])):
                return known
        return ""

    def _count(self, query: str) -> int | Refused:
        try:
            found = self._api.ask("POST", "query", {"query": query})
        except Refused as complaint:
            return complaint
        if not isinstance(found, dict) or "result" not in found:
            raise no_prometheus(self._api.url)
        result = found["result"]
        return len(result) if isinstance(result, list) else 1

    def _must(self, path: str) -> Any:
        """Ask what no run can do without."""
        try:
            return self._api.ask("GET", path)
        except Refused as complaint:
            raise VerifyError(f"Prometheus does not tell its {path}: {complaint}", self._api.url) from None
