"""One request with a known trace id is found in every store, and over every link between them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.engines.stack.conftest import Scene
from tests.engines.waiting import await_

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]


@pytest.fixture
def golden(scene: Scene) -> str:
    """Return the trace id of an order; an exemplar is kept of it, for it is the slowest for long."""
    return scene.story.golden


def test_it_is_in_the_trace_store_with_its_call(scene: Scene, golden: str) -> None:
    def services() -> set[str]:
        found = {span.service for span in scene.stack.trace(golden)}
        return found if len(found) > 1 else set()

    assert await_(services, "the trace is found") == {"storefront", "payments"}
    names = {(span.service, span.name) for span in scene.stack.trace(golden)}
    assert ("storefront", "POST /orders") in names
    assert ("payments", "POST /charges") in names


def test_it_is_in_loki_with_its_access_line_in_both_services(scene: Scene, golden: str) -> None:
    def lines() -> list[dict[str, Any]]:
        found = scene.stack.lines(f'{{service=~".+"}} | trace_id="{golden}" | event="http.request"')
        return found if len(found) >= 2 else []

    found = await_(lines, "its access lines are found")
    assert sorted(one["service"] for one in found) == ["payments", "storefront"]
    assert {one["environment"] for one in found} == {"test"}


def test_it_is_in_the_access_log_on_disk(scene: Scene, golden: str) -> None:
    for service in ("storefront", "payments"):
        text = (scene.stack.services_log / f"{service}.log").read_text(encoding="utf-8")
        assert golden in text


def test_it_is_an_exemplar_of_the_request_s_duration(scene: Scene, golden: str) -> None:
    assert await_(lambda: _exemplars(scene, golden), "its exemplar is found")


def _exemplars(scene: Scene, trace_id: str) -> list[dict[str, Any]]:
    now = time.time()
    answer = scene.stack.ask(
        "prometheus", "/api/v1/query_exemplars",
        query='http_server_request_duration_seconds_bucket{service="storefront"}', start=now - 3600, end=now + 60,
    )  # fmt: skip
    return [
        one
        for series in answer["data"]
        for one in series["exemplars"]
        if one["labels"].get("trace_id") == trace_id
    ]
