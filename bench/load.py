"""Drives a collector: as fast as it takes, or at a rate."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.payload import BATCH, Payload

#: Connections that are kept: enough for the collector to have work while one waits for its answer.
CONNECTIONS = 8
_AGAIN = 0.1
_TAKEN, _LATER = 200, {429, 503}


@dataclass(frozen=True)
class Sent:
    """How many records were taken, within how many seconds, and how often a sender was told to come again."""

    records: int
    seconds: float
    pushed_back: int


class _Turns:
    """Hands out bodies by number: at a rate, or whenever a sender is free."""

    def __init__(self, seconds: float, rate: float | None) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._ends = self._began + seconds
        self._pause = BATCH / rate if rate else 0.0
        self.handed_out = 0

    def next(self) -> int | None:
        """Return the number of the next body once it is due, None when the time is over."""
        with self._lock:
            due = self._began + self.handed_out * self._pause
            if max(due, time.monotonic()) >= self._ends:
                return None
            number = self.handed_out
            self.handed_out += 1
        time.sleep(max(0.0, due - time.monotonic()))
        return number

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._began


def post(
    where: tuple[int, str], payload: Payload, first: int, seconds: float, rate: float | None = None
) -> Sent:
    """Send bodies to a port and path for so many seconds, at `rate` records a second or as fast as they are taken.

    Records are numbered from `first` on without a gap. What is refused comes again until it is taken.

    Raises:
        SystemExit: a body was refused for good.
    """
    port, path = where
    turns = _Turns(seconds, rate)
    refused: list[int] = []
    broken: list[int] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while (number := turns.next()) is not None:
            body = payload.body(first + number * BATCH)
            while (status := _status(connection, path, body)) != _TAKEN:
                if status not in _LATER:
                    broken.append(status)
                    return
                refused.append(status)
                time.sleep(_AGAIN)
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    if broken:
        raise SystemExit(f"the collector answered {broken[0]} to {path}")
    return Sent(turns.handed_out * BATCH, max(seconds, turns.elapsed()), len(refused))


def append(file: Path, payload: Payload, first: int, seconds: float, rate: float) -> Sent:
    """Append lines to a file for so many seconds at a rate; each is numbered from `first` on."""
    turns = _Turns(seconds, rate)
    with file.open("ab", buffering=0) as log:
        while (number := turns.next()) is not None:
            log.write(payload.body(first + number * BATCH))
    return Sent(turns.handed_out * BATCH, max(seconds, turns.elapsed()), 0)


def pile(file: Path, payload: Payload, first: int, count: int) -> int:
    """Append at least so many lines to a file at once; return how many."""
    bases = range(first, first + count, BATCH)
    with file.open("ab") as log:
        for base in bases:
            log.write(payload.body(base))
    return len(bases) * BATCH


def _status(connection: http.client.HTTPConnection, path: str, body: bytes) -> int:
    connection.request("POST", path, body, {"Content-Type": "application/x-protobuf"})
    answer = connection.getresponse()
    answer.read()
    return answer.status
