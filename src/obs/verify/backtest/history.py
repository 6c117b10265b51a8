"""What a running Prometheus remembers, asked for gently: one small range at a time, never too fast."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from obs.verify.backtest.moments import Grid, Labels, labels_of
from obs.verify.query_api import Access, QueryApi, Refused, TooLarge, no_prometheus

#: Instants of one query; Prometheus refuses more than 11,000.
MAX_POINTS = 10_000
#: Instants below which nothing is halved any more.
_FEW_POINTS = 50


@dataclass(frozen=True, slots=True)
class Part:
    """What a query yields of one series: positions on the grid that was asked for, and its values there."""

    labels: Labels
    positions: list[int]
    values: list[float]


class History:
    """The query API of one Prometheus, asked for ranges.

    `url` and `access` are `QueryApi`'s. Not more than `rate` queries begin within a second, from
    whichever thread. Every method raises `VerifyError` when the server is absent, and `Refused` for what
    is wrong with one query.
    """

    def __init__(self, url: str, *, access: Access, timeout_s: float, rate: float) -> None:
        self._api = QueryApi(url, option="--url", timeout_s=timeout_s, access=access)
        self._timeout_s = timeout_s
        self._pace = _Pace(rate)

    def close(self) -> None:
        """Let the connections go."""
        self._api.close()

    def version(self) -> tuple[int, int]:
        """Return the version of the server, (major, minor); (3, 0) of one that does not say."""
        try:
            text = str(self._ask("GET", "status/buildinfo")["version"])
            major, minor = text.split(".")[:2]
            return int(major), int(minor)
        except (Refused, KeyError, TypeError, ValueError):
            return 3, 0

    def ask(self, text: str, grid: Grid) -> list[Part]:
        """Return what the expression `text` yields on a grid of at most `MAX_POINTS` instants."""
        try:
            data = self._ask(
                "POST",
                "query_range",
                {
                    "query": text,
                    "start": _seconds(grid.start),
                    "end": _seconds(grid[grid.count - 1]),
                    "step": _seconds(grid.step),
                    "timeout": f"{self._timeout_s:g}s",
                },
            )
        except TooLarge:
            if grid.count < _FEW_POINTS:
                raise
            halves = list(grid.chunks(-(-grid.count // 2)))
            return _joined([self.ask(text, half) for half in halves], halves[0].count)
        try:
            return [_part(entry, grid) for entry in data["result"] if entry.get("values")]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise no_prometheus(self._api.url) from None

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Any:
        self._pace.wait()
        return self._api.ask(method, path, form)


class _Pace:
    """Lets callers through one by one, evenly."""

    def __init__(self, rate: float) -> None:
        self._between = 1.0 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._between
        time.sleep(turn - now)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def _part(entry: Any, grid: Grid) -> Part:
    positions, values = [], []
    for at, value in entry["values"]:
        positions.append(round((at * 1000 - grid.start) / grid.step))
        values.append(float(value))
    return Part(labels_of(entry["metric"]), positions, values)


def _joined(parts: list[list[Part]], shift: int) -> list[Part]:
    first, second = parts
    moved = [Part(one.labels, [at + shift for at in one.positions], one.values) for one in second]
    found = {one.labels: one for one in first}
    for one in moved:
        before = found.get(one.labels)
        if before is None:
            found[one.labels] = one
        else:
            found[one.labels] = Part(one.labels, before.positions + one.positions, before.values + one.values)
    return list(found.values())
