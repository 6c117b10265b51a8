"""What only a server can tell: which series exist, of which type, and whether a query has a result."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from obs.errors import VerifyError
from obs.verify.bearer import token

_TIMEOUT_S = 15.0
#: Distinct queries that one run asks; beyond them a run would be a load test.
MAX_QUERIES = 5000


class Live:
    """A Prometheus, or what speaks its API, that is asked while files are linted.

    `bearer` is a file whose only line is sent as a token. Every method raises `VerifyError` when it does not answer; an answer is asked for once.
    """

    def __init__(self, url: str, bearer: Path | None = None) -> None:
        self.url = url.rstrip("/")
        self._results: dict[str, int | str] = {}
        # No proxy reaches what is on this machine.
        local = httpx.URL(self.url).host in {"127.0.0.1", "localhost", "::1"}
        headers = {"Authorization": f"Bearer {token(bearer)}"} if bearer is not None else {}
        self._client = httpx.Client(
            timeout=_TIMEOUT_S, follow_redirects=True, trust_env=not local, headers=headers
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all series of the last hours."""
        return frozenset(self._ask("label/__name__/values", {}))

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Name of a metric -> ``counter``, ``gauge``, ``histogram``... as its exporter says."""
        found: dict[str, Any] = self._ask("metadata", {})
        return {name: entries[0].get("type", "") for name, entries in found.items() if entries}

    def reach(self) -> None:
        """Ask what every run asks, so that a server that does not answer is seen."""
        _ = self.names

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def series(self, query: str) -> int | str | None:
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

    def _count(self, query: str) -> int | str:
        try:
            result = self._ask("query", {"query": query})["result"]
        except _Refused as error:
            return str(error)
        return len(result) if isinstance(result, list) else 1

    def _ask(self, path: str, parameters: Mapping[str, str]) -> Any:
        url = f"{self.url}/api/v1/{path}"
        try:
            answer = self._client.get(url, params=dict(parameters))
            if answer.status_code in {401, 403}:
                hint = "give a token by --bearer-file"
                raise VerifyError(f"the server answers {answer.status_code}", self.url, hint)
            data = answer.json()
        except httpx.HTTPError as error:
            raise VerifyError(f"the server does not answer: {error}", self.url) from None
        except (ValueError, httpx.InvalidURL):
            raise VerifyError("the server gives no answer of Prometheus", url) from None
        if not isinstance(data, dict) or data.get("status") not in {"success", "error"}:
            raise VerifyError("the server gives no answer of Prometheus", url)
        if data["status"] == "error":
            raise _Refused(str(data.get("error", answer.status_code)), url)
        return data["data"]


class _Refused(VerifyError):
    """The server has understood, and says no."""

    def __str__(self) -> str:
        return self.message
