"""Look signals up by id: the bundled ones and those that a service adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from obs.catalogue import (
    audit,
    cache,
    db,
    event_loop,
    exceptions,
    http,
    jobs,
    log,
    process,
    queue,
    resilience,
    rpc,
    self,
    target,
    tasks,
    websocket,
)
from obs.catalogue.naming import check_signal
from obs.catalogue.signal import DIALECTS, Counter, Dialect, Signal
from obs.errors import ConfigError, UnknownSignal, suggest

#: Domain -> its signals, in the order they are listed to people.
DOMAINS: dict[str, tuple[Signal, ...]] = {
    "http": http.SIGNALS,
    "websocket": websocket.SIGNALS,
    "process": process.SIGNALS,
    "event_loop": event_loop.SIGNALS,
    "rpc": rpc.SIGNALS,
    "db": db.SIGNALS,
    "cache": cache.SIGNALS,
    "jobs": jobs.SIGNALS,
    "tasks": tasks.SIGNALS,
    "queue": queue.SIGNALS,
    "resilience": resilience.SIGNALS,
    "log": log.SIGNALS,
    "exceptions": exceptions.SIGNALS,
    "audit": audit.SIGNALS,
    "target": target.SIGNALS,
    "self": self.SIGNALS,
}


class Registry:
    """A set of signals with unique ids and unique metric names in each dialect.

    Not thread-safe while signals are being added.
    """

    def __init__(self, signals: Iterable[Signal] = ()) -> None:
        self._by_id: dict[str, Signal] = {}
        self._owner: dict[str, str] = {}
        for signal in signals:
            self.add(signal)

    def add(self, signal: Signal) -> Signal:
        """Register `signal`; adding an equal one again is harmless.

        Raises `ConfigError` when its names are illegal or already mean something else.
        """
        if self._by_id.get(signal.id) == signal:
            return signal
        check_signal(signal)
        # An equal one may be there by now, from a signal's handler in the middle of this.
        if self._by_id.get(signal.id, signal) != signal:
            raise ConfigError(
                f"signal {signal.id!r} is declared twice with different contents",
                hint="give one of them another id",
            )
        names = list(dict.fromkeys(name for dialect in DIALECTS for name in _names(signal, dialect)))
        for name in names:
            owner = self._owner.get(name)
            if owner is not None and owner != signal.id:
                raise ConfigError(f"metric {name!r} of signal {signal.id!r} already belongs to {owner!r}")
        if isinstance(signal, Counter) and signal.counted_by and signal.counted_by not in self._by_id:
            raise ConfigError(
                f"signal {signal.id!r} is counted by {signal.counted_by!r}, which is not declared",
                hint=suggest(signal.counted_by, self._by_id),
            )
        self._by_id[signal.id] = signal
        self._owner.update(dict.fromkeys(names, signal.id))
        return signal

    def find(self, id_: str) -> Signal:
        """Return the signal with that id; raise `UnknownSignal` with the nearest match."""
        try:
            return self._by_id[id_]
        except KeyError:
            raise UnknownSignal(f"unknown signal {id_!r}", hint=suggest(id_, self._by_id)) from None

    def __contains__(self, id_: object) -> bool:
        return id_ in self._by_id

    def __iter__(self) -> Iterator[Signal]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)


def _names(signal: Signal, dialect: Dialect) -> tuple[str, ...]:
    """Return the names that `signal` takes: OpenMetrics calls the family of a counter `x_total` `x`."""
    name = signal.named(dialect)
    if isinstance(signal, Counter) and name.endswith("_total"):
        return name, name.removesuffix("_total")
    return (name,)


def bundled() -> Registry:
    """Return a new registry that holds every signal of the bundled catalogue."""
    return Registry(signal for signals in DOMAINS.values() for signal in signals)
