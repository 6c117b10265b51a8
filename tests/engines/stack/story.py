"""What happens to the shop before the first test looks: what alerts, panels and links are to show.

All of it happens at once, so that it ripens while the first tests run.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from dataclasses import dataclass

from tests.engines.stack.running import RunningStack
from tests.engines.stack.shop import ENVIRONMENT, Shop
from tests.engines.waiting import await_

#: Seconds of a call that goes slowly: its trace is kept, and its exemplar for long.
SLOW = 1.2
#: Seconds in which charges and settlements fail.
_FAILING = 6.0


@dataclass(frozen=True)
class Story:
    """What happened, and when, on the monotonic clock."""

    #: The trace id of the golden request: one slow order.
    golden: str
    #: When an answer came that never came before, and when a line told of a crash.
    first_answer: float
    panic: float


def order_slowly(shop: Shop) -> str:
    """Place one slow order and return its trace id.

    Nobody else may ask meanwhile: of the slow requests of one second, one is the exemplar.
    """
    trace_id = os.urandom(16).hex()
    shop.faults("payments", latency=SLOW)
    try:
        assert shop.buy(trace_id=trace_id) == 201
    finally:
        shop.faults("payments")
    return trace_id


def happen(stack: RunningStack, shop: Shop, golden: str) -> Story:
    """Let everything else happen."""
    orders = 'shop_orders_total{service="storefront"}'
    await_(lambda: stack.query(orders), "the shop has been scraped")
    first_answer = time.monotonic()
    assert shop.call("POST", "/orders", {"sku": "tea", "quantity": 0}) == 422
    panic = time.monotonic()
    line = {
        "timestamp": dt.datetime.now(dt.timezone.utc).isoformat().replace("+00:00", "Z"),
        "level": "critical", "event": "exception.main", "message": "died", "service": "storefront",
        "environment": ENVIRONMENT,
    }  # fmt: skip
    with (stack.services_log / "storefront.log").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    for service in ("payments", "worker-control"):
        shop.faults(service, errors=0.5)
    time.sleep(_FAILING)
    for service in ("payments", "worker-control"):
        shop.faults(service)
    return Story(golden, first_answer, panic)
