"""Several Redis servers that belong together: a cluster of three, and a primary whose replica a sentinel promotes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis import sentinel
from tests.engines.databases.servers import await_ready, running
from tests.engines.waiting import await_

from obs.stack.ports import free

_SLOTS = 16_384
#: What a sentinel calls the servers that it watches.
SERVICE = "shop-cache"


#: Untyped in redis-py.
Sentinel: Any = sentinel.Sentinel


def ask(port: int, *command: Any) -> Any:
    """Return what the server at `port` answers, in text."""
    with redis.Redis(port=port, decode_responses=True) as client:
        return client.execute_command(*command)


@contextlib.contextmanager
def _serving(program: Path, home: Path, *options: str) -> Iterator[int]:
    """Run a Redis that keeps nothing; yields its port."""
    home.mkdir(parents=True)
    port, log = free(), home / "log"
    argv = [
        str(program),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        *options,
    ]
    with running(argv, log, home) as server:
        await_ready(lambda: ask(port, "PING"), server, log)
        yield port


@dataclass(frozen=True)
class Cluster:
    """Three servers that share the keys by their slots; a slot can be moved, or be on its way."""

    ports: list[int]

    def empty(self) -> None:
        """Delete every key."""
        for port in self.ports:
            ask(port, "FLUSHALL")

    def owner(self, slot: int) -> int:
        """Return the port of the server that has `slot`."""
        return next(
            int(port)
            for first, last, (_, port, *_), *_ in ask(self.ports[0], "CLUSTER SLOTS")
            if first <= slot <= last
        )

    def move(self, slot: int) -> None:
        """Give `slot`, which holds no key, to another server: who asks the former owner is told MOVED."""
        old = self.owner(slot)
        new = self._other(old)
        name = ask(new, "CLUSTER MYID")
        # Who has imported a slot has the last word on it. Without that the former owner, as long as it has not been
        # told, takes it back, and the servers disagree for good.
        ask(new, "CLUSTER SETSLOT", slot, "IMPORTING", ask(old, "CLUSTER MYID"))
        # The new owner first, so that the slot is never without one.
        for port in sorted(self.ports, key=lambda port: port != new):
            ask(port, "CLUSTER SETSLOT", slot, "NODE", name)
        # The next last word is one only for who knows of this.
        await_(self._agree, f"all agree that {new} has {slot}", instead=self._views)

    def _agree(self) -> bool:
        first, *others = self._views()
        return all(other == first for other in others)

    def _views(self) -> list[Any]:
        """Return what each server says of the slots and the age of the words of all of them."""
        return [
            {one["node_id"]: (one["epoch"], one["slots"]) for one in ask(port, "CLUSTER NODES").values()}
            for port in self.ports
        ]

    @contextlib.contextmanager
    def moving(self, slot: int) -> Iterator[None]:
        """Have `slot`, which holds no key, on its way in the block: who asks its owner is told ASK."""
        old = self.owner(slot)
        new = self._other(old)
        ask(new, "CLUSTER SETSLOT", slot, "IMPORTING", ask(old, "CLUSTER MYID"))
        ask(old, "CLUSTER SETSLOT", slot, "MIGRATING", ask(new, "CLUSTER MYID"))
        try:
            yield
        finally:
            for port in (old, new):
                ask(port, "CLUSTER SETSLOT", slot, "STABLE")

    def _other(self, port: int) -> int:
        return next(other for other in self.ports if other != port)


@contextlib.contextmanager
def cluster(program: Path, place: Path) -> Iterator[Cluster]:
    """Run three servers as one cluster without replicas."""
    with contextlib.ExitStack() as servers:
        ports, buses = [], []
        for number in range(3):
            buses.append(free())
            options = ("--cluster-enabled", "yes", "--cluster-port", str(buses[-1]))
            ports.append(servers.enter_context(_serving(program, place / f"node-{number}", *options)))
        for number, port in enumerate(ports):
            first, last = _SLOTS * number // 3, _SLOTS * (number + 1) // 3 - 1
            ask(port, "CLUSTER ADDSLOTSRANGE", first, last)
            ask(port, "CLUSTER SET-CONFIG-EPOCH", number + 1)
        for port, bus in zip(ports[1:], buses[1:], strict=True):
            ask(ports[0], "CLUSTER MEET", "127.0.0.1", port, bus)
        await_(lambda: all(_is_whole(port) for port in ports), "each server of the cluster knows all slots")
        yield Cluster(ports)


def _is_whole(port: int) -> bool:
    told = ask(port, "CLUSTER INFO")
    state = told["cluster_state"] if isinstance(told, dict) else ("ok" if "cluster_state:ok" in told else "")
    return state == "ok" and len(ask(port, "CLUSTER SLOTS")) == 3


@contextlib.contextmanager
def watched(program: Path, place: Path) -> Iterator[int]:
    """Run a primary, its replica and a sentinel that watches them as `SERVICE`; yields the sentinel's port."""
    with contextlib.ExitStack() as servers:
        # Neither the one that begins to follow nor the one that ends has to wait for the other.
        options = ("--repl-diskless-sync-delay", "0", "--shutdown-timeout", "0")
        primary = servers.enter_context(_serving(program, place / "primary", *options))
        follows = (*options, "--replicaof", f"127.0.0.1 {primary}")
        replica = servers.enter_context(_serving(program, place / "replica", *follows))
        await_(lambda: ask(replica, "ROLE")[3:4] == ["connected"], "the replica follows")
        home, port = place / "sentinel", free()
        home.mkdir()
        file, log = home / "sentinel.conf", home / "log"
        # A sentinel keeps what it learns in its own file. It promotes when a test says so, and never because a loaded
        # machine has let the primary wait for seconds.
        file.write_text(
            f"port {port}\nbind 127.0.0.1\nsentinel monitor {SERVICE} 127.0.0.1 {primary} 1\n"
            f"sentinel down-after-milliseconds {SERVICE} 600000\n"
        )
        with running([str(program), str(file), "--sentinel"], log, home) as server:
            await_ready(lambda: len(ask(port, "SENTINEL REPLICAS", SERVICE)) == 1, server, log)
            yield port


def fail_over(port: int) -> None:
    """Have the sentinel at `port` promote the replica, and wait until it names that as the primary."""
    found = Sentinel([("127.0.0.1", port)])
    before = found.discover_master(SERVICE)

    def begun() -> bool:
        # Refused as long as the sentinel knows too little of the replica.
        with contextlib.suppress(redis.ResponseError):
            return bool(ask(port, "SENTINEL FAILOVER", SERVICE))
        return False

    def done() -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(found.discover_master(SERVICE) != before)
        return False

    await_(begun, "the sentinel begins to promote the replica")
    await_(done, "the sentinel names another primary")
