"""Blocks in generators, which frameworks begin and end in different contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.responses import Response, StreamingResponse

import obs

Lines = Callable[[], list[dict[str, Any]]]


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
    path: str, app: FastAPI, call: Any, lines: Lines, collector: Any
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    (answer,) = call(app, path)
    assert answer.status_code == 200
    assert "fine" in answer.text
    assert [line["message"] for line in lines()] == [f"GET {path} 200"]
    assert obs.flush()
    assert sorted(collector.names()) == [f"GET {path}", "job part", "part"]
