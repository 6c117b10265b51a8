"""The views of a Django site that answer, refuse, fail and stream, plain and asynchronous, and its addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path, re_path

import obs


def item(request: Any, **_: Any) -> Any:
    obs.log.info("looked up")
    return JsonResponse({"trace": obs.ids().trace_id})


async def later(request: Any) -> Any:
    obs.log.info("looked up")
    await asyncio.sleep(0)
    return JsonResponse({"trace": obs.ids().trace_id})


def boom(request: Any) -> Any:
    raise ValueError("kaputt")


async def later_boom(request: Any) -> Any:
    raise ValueError("kaputt")


def missing(request: Any) -> Any:
    raise Http404


def refused(request: Any) -> Any:
    raise PermissionDenied


def busy(request: Any) -> Any:
    return HttpResponse("busy", status=503)


def stream(request: Any) -> Any:
    def steps() -> Iterator[str]:
        for number in range(3):
            obs.log.info("step")
            yield str(number)

    return StreamingHttpResponse(steps())


async def later_stream(request: Any) -> Any:
    async def steps() -> AsyncIterator[str]:
        for number in range(3):
            obs.log.info("step")
            yield str(number)

    return StreamingHttpResponse(steps())


def broken_stream(request: Any) -> Any:
    def steps() -> Iterator[str]:
        yield "a"
        raise ValueError("half way")

    return StreamingHttpResponse(steps())


async def patient_stream(request: Any) -> Any:
    async def steps() -> AsyncIterator[str]:
        for number in range(100):
            yield str(number)
            await asyncio.sleep(0.001)

    return StreamingHttpResponse(steps())


def file(request: Any) -> Any:
    return FileResponse(BytesIO(b"from the disk"))


def failing_page(request: Any) -> Any:
    return HttpResponse("our own page", status=500)


_regexes = [re_path(r"^articles/(?P<year>[0-9]{4})/$", item)]
urlpatterns = [
    path("items/<int:number>/", item),
    path("later/", later),
    path("boom/", boom),
    path("later-boom/", later_boom),
    path("missing/", missing),
    path("refused/", refused),
    path("busy/", busy),
    path("stream/", stream),
    path("later-stream/", later_stream),
    path("broken-stream/", broken_stream),
    path("file/", file),
    path("patient-stream/", patient_stream),
    path("api/<slug:tenant>/", include(([path("items/<int:number>/", item)], "api"), namespace="v1")),
    path("news/", include(_regexes)),
]
handler500 = failing_page
