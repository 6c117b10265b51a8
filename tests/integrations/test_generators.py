"""Blocks in generators, which frameworks begin and end in different contexts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.responses import Response, StreamingResponse

import obs
from obs.testing import Telemetry


def inside() -> Iterator[None]:
    """Be in each block of ours while a framework has this generator's hand."""
    with obs.bind(part=1), obs.span("part"), obs.extract({"x-request-id": "r"}), obs.job("part"):
        yield


def depend() -> Iterator[None]:
    yield from inside()


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/dependency")
    def dependency(_: Annotated[None, Depends(depend)]) -> str:
        return "fine"

    @app.get("/stream")
    def stream() -> Response:
        def parts() -> Iterator[str]:
            for _ in inside():
                yield "fi"
                yield "ne"

        return StreamingResponse(parts())

    obs.instrument(app)
    return app


@pytest.mark.parametrize("path", ["/dependency", "/stream"])
def test_a_block_that_ends_in_another_context_leaves_the_host_and_its_log_alone(
    path: str, app: FastAPI, call: Any, telemetry: Telemetry
) -> None:
    (answer,) = call(app, path)
    assert answer.status_code == 200
    assert "fine" in answer.text
    assert [line["message"] for line in telemetry.logs] == [f"GET {path} 200"]
    assert sorted(span.name for span in telemetry.spans) == [f"GET {path}", "job part", "part"]
    telemetry.assert_no_errors()
