"""Whose a series is, is said once and by the target: no second identity, nothing counted twice."""

from __future__ import annotations

import pytest
from tests.engines.stack.conftest import Scene
from tests.engines.waiting import await_

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]


def test_no_series_carries_a_label_that_begins_with_exported(scene: Scene) -> None:
    await_(lambda: scene.stack.query('shop_orders_total{service="storefront"}'), "the shop has been scraped")
    names = scene.stack.ask("prometheus", "/api/v1/labels")["data"]
    assert {"service", "environment", "instance"} <= set(names)
    assert [name for name in names if name.startswith("exported_")] == []


def test_every_target_is_up_and_every_series_has_an_identity(scene: Scene) -> None:
    def down() -> list[str]:
        return [str(one["metric"]) for one in scene.stack.query("up == 0")]

    await_(lambda: not down(), "every target is up", instead=down)
    assert scene.stack.query('up{service=""} or up{environment=""} or up{instance=""}') == []
    assert scene.stack.query('ALERTS{alertstate="firing",category="targets"}') == []


def test_orders_are_counted_once_though_spans_are_counted_too(scene: Scene) -> None:
    paid = 'shop_orders_total{service="storefront",result="paid"}'
    assert len(await_(lambda: scene.stack.query(paid), "an order is paid")) == 1
    # What the collector counts of the spans has names of its own: no query on the service's metrics sees it.
    counted = 'count by (__name__) ({service="storefront",__name__=~"http_server_.*_count"})'
    requests = await_(lambda: scene.stack.query(counted), "requests are counted")
    assert [one["metric"]["__name__"] for one in requests] == ["http_server_request_duration_seconds_count"]
    # Nothing that is scraped of the shop is pushed as well, or comes by a second job.
    jobs = 'count by (service, __name__, job) ({service=~"storefront|payments|worker",job!=""})'

    def sources() -> set[str]:
        return {one["metric"]["job"] for one in scene.stack.query(f"count by (job) ({jobs})")}

    await_(lambda: sources() == {"services", "span-metrics"}, "both jobs tell of the shop", instead=sources)
    assert scene.stack.query(f"count by (service, __name__) ({jobs}) > 1") == []
