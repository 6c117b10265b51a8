"""Every test of the integrations begins and ends with obs stopped; most of them use one small shop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from prometheus_client.openmetrics import parser
from starlette.responses import PlainTextResponse, Response, StreamingResponse

import obs
from obs.runtime import endpoints

App = Callable[[Any, Any, Any], Awaitable[None]]
# Untyped in prometheus_client.
parse: Any = parser.text_string_to_metric_families
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}


@pytest.fixture(autouse=True)
def _stopped(stopped: None) -> None:
    # httpx's own lines about the requests of our test client are not what is tested.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Nor is asyncio's choice of a selector.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def make_shop() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item}")
    async def item(item: str) -> dict[str, str]:
        obs.log.info("looked up", item=item)
        return {"item": item}

    @app.get("/boom")
    async def boom() -> None:
        raise ValueError("kaputt")

    @app.get("/refused")
    async def refused() -> Response:
        return PlainTextResponse("no", 503)

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> Any:
            for number in range(3):
                yield f"{number}"
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    obs.instrument(app)
    return app


def call_app(app: App, *requests: httpx.Request | str, **headers: str) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return [
                await (client.get(item, headers=headers) if isinstance(item, str) else client.send(item))
                for item in requests
            ]

    return asyncio.run(run())


def read_samples(app: App, metric: str) -> list[Any]:
    (answer,) = call_app(app, "/metrics", **OPENMETRICS)
    families = {family.name: family for family in parse(answer.text)}
    return list(families[metric].samples) if metric in families else []


def read_counts(app: App) -> dict[tuple[str, str, str], float]:
    return {
        (
            sample.labels["http_request_method"],
            sample.labels["http_route"],
            sample.labels["http_response_status_code"],
        ): sample.value
        for sample in read_samples(app, "http_server_request_duration_seconds")
        if sample.name.endswith("_count")
    }


@pytest.fixture
def shop() -> Callable[[], FastAPI]:
    """Return what makes a small instrumented application."""
    return make_shop


@pytest.fixture
def call() -> Callable[..., list[httpx.Response]]:
    """Return what sends requests to an application, one after the other."""
    return call_app


@pytest.fixture
def samples() -> Callable[[App, str], list[Any]]:
    """Return what reads the samples of one metric from an application's own endpoint."""
    return read_samples


@pytest.fixture
def counts() -> Callable[[App], dict[tuple[str, str, str], float]]:
    """Return what reads the requests counted by method, route and status."""
    return read_counts


def read_values(name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """Return the samples called `name` by the values of `labels`."""
    answer = asyncio.run(endpoints.answer("metrics", OPENMETRICS["accept"], ""))
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in parse(answer.body.decode())
        for sample in family.samples
        if sample.name == name
    }


@pytest.fixture
def values() -> Callable[..., dict[tuple[str, ...], float]]:
    """Return what reads a metric of this process by the labels that are asked for."""
    return read_values
