"""How soon what happens can be seen: measured under the committed settings and printed, with generous limits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from tests.engines.stack.conftest import Scene
from tests.engines.waiting import await_

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

#: Scrapes come every two seconds here.
_SCRAPE = 2


def test_a_line_a_trace_and_a_metric_are_seen_soon(scene: Scene, note: Callable[[str], None]) -> None:
    orders = 'sum(shop_orders_total{service="storefront"})'
    await_(lambda: scene.stack.query(orders), "the shop has been scraped")
    trace_id = os.urandom(16).hex()
    # Marks its span as slow, so that no share of the sampling decides.
    scene.shop.faults("payments", latency=1.2)
    try:
        scene.shop.buy(trace_id=trace_id)
    finally:
        scene.shop.faults("payments")
    began = time.monotonic()
    before = scene.stack.value(orders) or 0.0
    looks: dict[str, Callable[[], object]] = {
        "log line found (promised: 30 s)": lambda: scene.stack.lines(
            f'{{service="storefront"}} | trace_id="{trace_id}"'
        ),
        "trace found by its id (promised: 10 s)": lambda: scene.stack.trace(trace_id),
        f"metric seen at a scrape every {_SCRAPE} s (promised: {_SCRAPE + 5} s)": lambda: (
            (scene.stack.value(orders) or 0.0) > before
        ),
    }
    taken: dict[str, float] = {}

    def all_seen() -> bool:
        for what, look in looks.items():
            if what not in taken and look():
                taken[what] = time.monotonic() - began
        return len(taken) == len(looks)

    await_(all_seen, "line, trace and metric are seen", within=120.0)
    for what, seconds in taken.items():
        note(f"freshness: {what} after {seconds:.1f} s")
