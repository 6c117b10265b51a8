"""Bounded load on a web service: a fixed rate, a longest duration, an end by itself."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, final

import httpx


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the mix that the load goes through, round and round."""

    method: str
    url: str
    json: Any = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the callers saw over the last seconds."""

    #: Answers a second.
    rate: float
    #: Share of the calls that failed: a 5xx answer, or none at all. 0 without calls.
    error_ratio: float


@dataclass(slots=True)
class _Tally:
    lock: threading.Lock = field(default_factory=threading.Lock)
    sent: int = 0
    failed: int = 0
    #: (time of the answer, whether it failed), for the sliding window.
    recent: deque[tuple[float, bool]] = field(default_factory=deque)


@final
class Load:
    """Sends `calls` in turn at `rate` a second from a thread of its own; use as a context manager.

    It ends on leaving, and by itself after `duration` seconds. A target that does not keep up
    gets at most `in_flight` calls at once; what exceeds that is left out, not queued.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        *,
        rate: float,
        duration: float,
        in_flight: int = 20,
        window: float = 5.0,
    ) -> None:
        if not calls or rate <= 0 or duration <= 0:
            raise ValueError("expected at least one call, a rate and a duration above zero")
        self._calls = calls
        self._rate = rate
        self._duration = duration
        self._in_flight = in_flight
        self._window = window
        self._tally = _Tally()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Load:
        # Here and not in the thread: the first client imports most of httpx, and so does the first request of
        # the caller. Were that one interrupted (Ctrl-C), the thread would go on with half a module.
        self._client = httpx.AsyncClient(timeout=5.0, trust_env=False)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def running(self) -> bool:
        """Whether calls are still being sent."""
        return self._thread.is_alive()

    @property
    def sent(self) -> int:
        """How many calls have been answered or have failed since the start."""
        with self._tally.lock:
            return self._tally.sent

    @property
    def failed(self) -> int:
        """How many of them failed: a 5xx answer, or none at all."""
        with self._tally.lock:
            return self._tally.failed

    def traffic(self) -> Traffic:
        """Return rate and error ratio over the window (5 seconds unless told otherwise)."""
        with self._tally.lock:
            _forget(self._tally.recent, time.monotonic() - self._window)
            total = len(self._tally.recent)
            failed = sum(failed for _, failed in self._tally.recent)
        return Traffic(total / self._window, failed / total if total else 0.0)

    def _run(self) -> None:
        asyncio.run(self._drive())

    async def _drive(self) -> None:
        start = time.monotonic()
        flying: set[asyncio.Task[None]] = set()
        number = 0
        # Apart from `number`: were the turn of a call left out with it, a target of an even slowness would see
        # one call of the mix over and over.
        turns = itertools.cycle(self._calls)
        async with self._client as client:
            while not self._stop.is_set():
                due = start + number / self._rate
                if due - start >= self._duration:
                    break
                # Short naps, so that leaving never waits for a slow rate.
                nap = min(due - time.monotonic(), 0.1)
                if nap > 0:
                    await asyncio.sleep(nap)
                    continue
                if len(flying) < self._in_flight:
                    task = asyncio.create_task(self._call(client, next(turns)))
                    flying.add(task)
                    task.add_done_callback(flying.discard)
                number += 1
            for task in flying:
                task.cancel()
            await asyncio.gather(*flying, return_exceptions=True)

    async def _call(self, client: httpx.AsyncClient, call: Call) -> None:
        try:
            answer = await client.request(call.method, call.url, json=call.json)
            failed = answer.status_code >= 500
        except httpx.HTTPError:
            failed = True
        with self._tally.lock:
            now = time.monotonic()
            self._tally.sent += 1
            self._tally.failed += failed
            self._tally.recent.append((now, failed))
            _forget(self._tally.recent, now - self._window)


def _forget(recent: deque[tuple[float, bool]], before: float) -> None:
    while recent and recent[0][0] < before:
        recent.popleft()
