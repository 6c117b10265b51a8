"""obs.instrument finds what it is given, and refuses with a sentence what it cannot do."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

import obs
from obs.errors import ObsError
from obs.integrations.asgi import Middleware


@pytest.mark.parametrize("app", [FastAPI(), Starlette()])
def test_an_application_gets_the_middleware_outermost(app: Starlette) -> None:
    obs.instrument(app)
    obs.instrument(app)
    stack = app.build_middleware_stack()
    assert isinstance(stack, Middleware)
    assert type(stack.app).__name__ == "ServerErrorMiddleware"


def test_a_subclass_counts_as_its_base() -> None:
    class Shop(FastAPI):
        pass

    app = Shop()
    obs.instrument(app)
    assert isinstance(app.build_middleware_stack(), Middleware)


@pytest.mark.skipif(not hasattr(FastAPI(), "_telemetry"), reason="this FastAPI does not trace itself")
def test_fastapis_own_telemetry_is_switched_off_for_this_application_only() -> None:
    ours, other = FastAPI(), FastAPI()
    obs.instrument(ours)
    assert not any(ours._telemetry[name] for name in ("tracing", "metrics", "logs"))
    assert other._telemetry["tracing"]


def test_after_its_first_request_it_is_too_late() -> None:
    app = FastAPI()

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
            await client.get("/")

    asyncio.run(run())
    with pytest.raises(ObsError, match="has started"):
        obs.instrument(app)


def test_a_function_is_told_how_it_can_be_wrapped() -> None:
    def application(environ: object, start_response: object) -> list[bytes]:
        return []

    with pytest.raises(ObsError) as caught:
        obs.instrument(application)
    assert "obs.integrations.wsgi.Middleware(app)" in str(caught.value.hint)
    assert "obs.integrations.asgi.Middleware(app)" in str(caught.value.hint)


@pytest.mark.parametrize("target", [object(), "app", FastAPI, None])
def test_anything_else_is_refused_naming_what_is_supported(target: object) -> None:
    with pytest.raises(ObsError, match=r"FastAPI application.*httpx\.Client") as caught:
        obs.instrument(target)
    assert caught.value.hint is not None
