"""How a request under Django's middleware ends: by an error, by nobody listening, half way through a body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from tests.integrations.django_site import configure

from obs.integrations.django import Middleware
from obs.testing import Telemetry

configure()
both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def ask(result: Any, *, asynchronous: bool) -> Any:
    """Send one request through the middleware to a view that raises or returns `result`."""

    def now(_: Any) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    async def later(request: Any) -> Any:
        return now(request)

    request = RequestFactory().get("/")
    return asyncio.run(Middleware(later)(request)) if asynchronous else Middleware(now)(request)


def read(response: Any, *, asynchronous: bool) -> None:
    """Read a streamed body as a server does, and close it whatever happens."""

    async def later() -> None:
        async for _ in response.streaming_content:
            pass

    try:
        if asynchronous:
            asyncio.run(later())
        else:
            list(response.streaming_content)
    finally:
        response.close()


def broken() -> Iterator[bytes]:
    yield b"a"
    raise ValueError("half way")


async def broken_later() -> AsyncIterator[bytes]:
    yield b"a"
    raise ValueError("half way")


@both
def test_the_middleware_is_what_it_is_put_around(asynchronous: bool) -> None:
    async def later(_: Any) -> Any:
        return HttpResponse()

    # Django would run one that is not marked in a thread.
    made = Middleware(later if asynchronous else lambda _: HttpResponse())
    assert iscoroutinefunction(made) is asynchronous


@both
def test_an_error_half_way_through_a_body_is_reported_and_nobody_has_left(
    telemetry: Telemetry, asynchronous: bool
) -> None:
    response = ask(
        StreamingHttpResponse(broken_later() if asynchronous else broken()), asynchronous=asynchronous
    )
    with pytest.raises(ValueError, match="half way"):
        read(response, asynchronous=asynchronous)
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    failure, access = telemetry.logs
    assert "half way" in failure["exception"]
    assert (access["status"], "disconnected" in access) == (200, False)
    assert telemetry.spans[0].status == "error"


@both
def test_an_error_that_reaches_the_middleware_is_reported_once_and_passes(
    telemetry: Telemetry, asynchronous: bool
) -> None:
    with pytest.raises(ValueError, match="kaputt"):
        ask(ValueError("kaputt"), asynchronous=asynchronous)
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    failure, access = telemetry.logs
    assert "kaputt" in failure["exception"]
    assert (access["status"], access["level"]) == (500, "error")


def test_a_view_that_django_cancels_because_its_client_has_left_is_no_error(telemetry: Telemetry) -> None:
    with pytest.raises(asyncio.CancelledError):
        ask(asyncio.CancelledError(), asynchronous=True)
    telemetry.assert_no_errors()
    (access,) = telemetry.logs
    assert (access["status"], access["disconnected"], access["level"]) == (499, True, "info")
