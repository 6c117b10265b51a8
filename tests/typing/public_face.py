"""Code as users write it: it must pass a strict type checker. It is checked, not run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import obs
from obs.catalogue import Counter, Label

if TYPE_CHECKING:
    from typing_extensions import assert_type

BASKETS: obs.Counter = obs.counter("basket.abandoned", "Baskets left behind.", labels=("reason",))
LEVEL: obs.Gauge = obs.gauge("stock.level", unit="{item}", across="max")
WAIT: obs.Histogram = obs.histogram("queue.wait", buckets=(0.1, 1, 10))
ORDERS = obs.counter(
    Counter("shop.orders", "shop_orders_total", "Orders.", labels=(Label("result", values=("ok", "failed")),))
)


def start() -> obs.Status:
    try:
        status = obs.init("shop", version="1.2", environment="test", log_level="debug")
    except obs.ObsError as error:
        raise SystemExit(str(error)) from error
    settings: obs.Settings | None = status.settings
    assert settings is not None
    port: int = obs.serve(0)
    obs.log.info("started", port=port, service=settings.service, on=status.on)
    obs.set_level("debug", "shop")
    return status


@obs.check("database", critical=True, timeout=0.5)
def database() -> bool:
    return True


@obs.check("cache", critical=False, ttl=5)
async def cache() -> dict[str, int]:
    return {"keys": 1}


@obs.job("settle")
def settle(orders: list[int]) -> int:
    return sum(orders)


@obs.span("load", {"table": "orders"})
async def load(limit: int) -> list[int]:
    return [limit]


@obs.span("parts")
def parts(count: int) -> Iterator[int]:
    yield from range(count)


async def work(app: Any) -> int:
    obs.instrument(app)
    with obs.bind(user_id=7), obs.span("work", kind="consumer") as span:
        span.set(step=1)
        span.event("half way", done=0.5)
        BASKETS.inc(reason="timeout")
        BASKETS.bind(reason="price").inc(2)
        LEVEL.set(3)
        LEVEL.track(lambda: 4.0)
        with WAIT.time():
            orders = await load(5)
        ORDERS.inc(result="ok")
        ids: obs.Ids = obs.ids()
        headers = obs.inject({"accept": "*/*"})
        with obs.extract(dict(headers)):
            obs.get_logger("shop", part="work").bind(order=1).warning("slow", trace=ids.trace_id)
    async with obs.job("async"):
        total: int = settle(orders)
    try:
        obs.log.info("counted", total=total)
    except ValueError as error:
        event_id: str | None = obs.capture(error, attempt=1) or obs.capture()
        obs.log.info("kept", event=event_id)
    obs.audit(
        "UPDATE", "order/7", actor="bob", before={"state": "new"}, after={"state": "paid"}, reason="web"
    )
    obs.security_event("login.failed", user="bob", attempts=3)
    carried: int = await asyncio.to_thread(obs.carry(settle), orders)
    total += carried + sum(parts(3))
    flushed: bool = obs.flush(timeout=1.0)
    return total if flushed and obs.shutdown() else 0


def keep_types(fetch: Callable[[int], str]) -> None:
    """A decorator gives back what it was given; a block gives what can be done in it."""
    assert_type(obs.__version__, str)
    assert_type(obs.status(), obs.Status)
    assert_type(obs.status().on, tuple[str, ...])
    assert_type(obs.log, obs.Logger)
    assert_type(obs.carry(fetch)(1), str)
    assert_type(obs.span("fetch")(fetch)(1), str)
    assert_type(obs.job("fetch")(fetch)(1), str)
    assert_type(obs.job("fetch"), obs.Job)
    assert_type(obs.check("fetch")(database)(), bool)
    assert_type(obs.extract({}).__enter__(), None)
    with obs.span("block") as span:
        assert_type(span, obs.ActiveSpan)
    with obs.job("block", heartbeat=30) as run:
        run.beat()
        active: obs.ActiveSpan = run
        active.set(step=1)
    kinds: list[type[obs.ObsError]] = [obs.ConfigError, obs.MissingExtra, obs.UnknownSignal]
    assert_type([kind("no").hint for kind in kinds[:1]], "list[str | None]")
