"""The fields that queries may ask for are those that the runtime writes."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from fastapi import FastAPI

import obs
from obs.catalogue import exceptions, log_events
from obs.catalogue.log import FIELDS
from obs.testing import Telemetry


def test_an_access_line_has_the_fields_of_its_event(telemetry: Telemetry) -> None:
    app = FastAPI()

    @app.get("/items/{item}")
    def read(item: str) -> str:
        return item

    obs.instrument(app)

    async def ask() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            assert (await client.get("/items/7")).status_code == 200

    asyncio.run(ask())

    (line,) = (line for line in telemetry.logs if line.get("event") == log_events.REQUEST.name)
    assert {field.name for field in log_events.REQUEST.fields} <= set(line)
    assert set(line) - {"timestamp", "message"} <= log_events.QUERYABLE | {"pid"}
    assert float(line[log_events.DURATION.name]) >= 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_writes_its_event(telemetry: Telemetry) -> None:
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()

    assert "exception.thread" in {line.get("event") for line in telemetry.logs}


def test_every_crash_is_named_after_where_errors_surface() -> None:
    ends = {event.name for event in log_events.CRASHES} - {"lifespan"}

    assert ends <= {f"exception.{mechanism}" for mechanism in exceptions.MECHANISMS}


def test_a_security_event_names_its_stream_and_kind(telemetry: Telemetry) -> None:
    obs.security_event("login.failed", user="ann")

    record = telemetry.assert_audited("login.failed", user="ann")
    assert record[log_events.STREAM.name] == log_events.SECURITY
    assert record[log_events.KIND.name] == "login.failed"


def test_the_line_itself_is_no_field() -> None:
    assert "message" not in log_events.QUERYABLE
    assert {field.name for field in FIELDS} - log_events.QUERYABLE == {"message"}
