"""The start and the end of an application: failures are told once, and readiness follows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

import obs
from obs.integrations.asgi import Middleware
from obs.runtime import draining
from obs.testing import Telemetry


def live(app: Any, *events: str) -> list[dict[str, Any]]:
    """Lead an application through its life; return what it answered."""
    waiting, sent = [{"type": event} for event in events], []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def run() -> None:
        with contextlib.suppress(ConnectionError):
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    asyncio.run(run())
    return sent


def make_app(*, fails: str = "") -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if fails == "start":
            raise ConnectionError("no database")
        yield
        if fails == "end":
            raise ConnectionError("no database")

    app = FastAPI(lifespan=lifespan)
    obs.instrument(app)
    return app


@pytest.mark.parametrize("phase", ["start", "end"])
def test_a_failure_is_reported_once_and_the_server_hears_only_its_last_line(
    telemetry: Telemetry, phase: str
) -> None:
    sent = live(make_app(fails=phase), "lifespan.startup", "lifespan.shutdown")
    last = sent[-1]
    assert last["type"] == ("lifespan.startup.failed" if phase == "start" else "lifespan.shutdown.failed")
    # Starlette hands the whole stack to the server, which would log it a second time.
    assert last["message"] == "ConnectionError: no database"
    (line,) = telemetry.logs
    assert line["message"] == f"the application failed at its {phase}"
    assert "no database" in line["exception"]
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")


def test_without_lines_of_ours_the_server_hears_everything() -> None:
    obs.init("shop", logs=False)
    sent = live(make_app(fails="start"), "lifespan.startup")
    assert sent[-1]["message"].startswith("Traceback")


def test_an_application_that_does_not_know_the_protocol_has_not_failed(telemetry: Telemetry) -> None:
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionError("only http is known here")

    live(Middleware(plain), "lifespan.startup")
    telemetry.assert_no_errors()


def test_readiness_is_off_from_the_order_to_end_until_the_next_start(telemetry: Telemetry) -> None:
    app = make_app()
    live(app, "lifespan.startup", "lifespan.shutdown")
    assert draining.active()
    live(make_app(), "lifespan.startup", "lifespan.shutdown")

    async def started(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert not draining.active()

    live(Middleware(started), "lifespan.startup")


@pytest.mark.parametrize("answer", ["complete", "failed"])
def test_the_end_flushes_what_is_waiting(collector: Any, answer: str) -> None:
    obs.init("shop", otlp_endpoint=collector.url, log_level="error", export_interval=60)

    async def ends(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        with obs.span("the last work"):
            pass
        await send({"type": f"lifespan.shutdown.{answer}"})

    live(Middleware(ends), "lifespan.startup", "lifespan.shutdown")
    assert collector.names() == ["the last work"]
