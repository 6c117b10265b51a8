"""What obs answers itself, kept out of what it measures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import obs
from obs.errors import ObsError

Lines = Callable[[], list[dict[str, Any]]]


def test_the_endpoints_of_obs_are_in_no_metric_line_or_span(
    lines: Lines, collector: Any, shop: Any, call: Any, counts: Any
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    app = shop()
    answers = call(app, "/metrics", "/health", "/ready", "/live")
    assert [answer.status_code for answer in answers] == [200] * 4
    assert json.loads(answers[1].text)["status"] == "healthy"
    assert counts(app) == {}
    assert lines() == []
    assert obs.flush(30)
    assert collector.spans == []


def test_an_application_that_can_be_scraped_does_not_push_its_metrics(
    collector: Any, shop: Any, call: Any
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    call(shop(), "/items/1")
    assert obs.shutdown(10)
    assert len(collector.spans) == 1
    assert collector.metrics == []


def test_the_endpoints_work_behind_a_root_path(shop: Any) -> None:
    obs.init("shop")
    app = shop()

    async def run() -> list[int]:
        transport = httpx.ASGITransport(app=app, root_path="/api")
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return [(await client.get(path)).status_code for path in ("/metrics", "/api/metrics")]

    assert asyncio.run(run()) == [200, 200]


def test_a_post_to_an_endpoint_belongs_to_the_application(shop: Any, call: Any) -> None:
    obs.init("shop")
    (answer,) = call(shop(), httpx.Request("POST", "http://shop/health"))
    assert answer.status_code == 404


def test_a_second_init_moves_the_endpoints_of_a_running_application(shop: Any, call: Any) -> None:
    obs.init("shop")
    app = shop()
    assert call(app, "/metrics")[0].status_code == 200
    obs.init("shop", metrics_path="/internal/metrics")
    moved, left = call(app, "/internal/metrics", "/metrics")
    assert (moved.status_code, left.status_code) == (200, 404)


def test_excluded_paths_are_served_but_not_observed(lines: Lines, call: Any, counts: Any) -> None:
    obs.init("shop")
    app = FastAPI()

    @app.get("/admin/{page}")
    async def admin(page: str) -> str:
        return page

    @app.get("/administration")
    async def administration() -> str:
        return "another path"

    obs.instrument(app, exclude=("/admin/",))
    served = call(app, "/admin/users", "/administration")

    assert [answer.status_code for answer in served] == [200, 200]
    assert "x-request-id" not in served[0].headers
    assert list(counts(app)) == [("GET", "/administration", "200")]
    assert [line["path"] for line in lines()] == ["/administration"]


@pytest.mark.parametrize("exclude", ["/admin", ("admin",), ("/",), 5, None, (None,)])
def test_an_exclude_that_cannot_match_is_refused(exclude: Any) -> None:
    with pytest.raises(ObsError, match="exclude takes"):
        obs.instrument(FastAPI(), exclude=exclude)


def test_a_client_has_no_paths_to_exclude() -> None:
    with httpx.Client() as client, pytest.raises(ObsError, match="serves no paths"):
        obs.instrument(client, exclude=("/admin",))
