"""Route templates, mounts and included routers included; never a raw path."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from obs.integrations.asgi import Middleware
from obs.integrations.starlette import template


async def endpoint(request: Any) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def passing(request: Any, proceed: Any) -> Any:
    return await proceed(request)


def fastapi_app(folder: Path) -> FastAPI:
    deep, versioned, nested = APIRouter(prefix="/deep"), APIRouter(prefix="/v1"), APIRouter()
    tenant, inner = FastAPI(), APIRouter(prefix="/v9")
    deep.add_api_route("/x/{n}", lambda n: n)
    versioned.add_api_route("/items/{id}", lambda id: id, methods=["GET", "POST"])  # noqa: A006
    nested.include_router(deep)
    inner.add_api_route("/k/{n}", lambda n: n)
    tenant.include_router(inner)
    tenant.add_api_route("/q/{w}", lambda w: w)
    app = FastAPI()
    app.include_router(versioned, prefix="/api")
    app.include_router(nested, prefix="/api")
    app.mount("/tenants/{tenant}", tenant)
    app.mount("/static", StaticFiles(directory=folder))
    app.mount("/star", starlette_app(folder))
    app.add_api_route("/plain", lambda: 1)
    return app


def starlette_app(folder: Path) -> Starlette:
    inner = [Route("/z/{k}", endpoint), Mount("/more", routes=[Route("/end", endpoint)])]
    routes = [
        Route("/in/{x:int}", endpoint, methods=["GET"]),
        Mount("/sub/{y}", routes=inner),
        Mount("/files", app=StaticFiles(directory=folder)),
        Host("api.shop", app=Router([Route("/h/{n}", endpoint)])),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    return app


def route_of(app: Any, method: str, url: str) -> str:
    found = []

    def resolve(scope: Any, root_path: str) -> str:
        found.append(template(app, scope, root_path))
        return found[-1]

    async def run() -> None:
        import obs

        obs.init("shop", logs=False)
        transport = httpx.ASGITransport(app=Middleware(app, resolve=resolve))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            await client.request(method, url)

    asyncio.run(run())
    return found[-1]


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "/plain", "/plain"),
        ("GET", "/api/v1/items/5", "/api/v1/items/{id}"),
        ("POST", "/api/v1/items/5", "/api/v1/items/{id}"),
        ("DELETE", "/api/v1/items/5", "/api/v1/items/{id}"),
        ("GET", "/api/deep/x/5", "/api/deep/x/{n}"),
        ("GET", "/tenants/blue/q/5", "/tenants/{tenant}/q/{w}"),
        ("GET", "/tenants/blue/v9/k/5", "/tenants/{tenant}/v9/k/{n}"),
        ("GET", "/tenants/blue/nothing", ""),
        ("GET", "/static/a.txt", "/static/{path}"),
        ("GET", "/star/in/3", "/star/in/{x}"),
        ("GET", "/docs", "/docs"),
        ("GET", "/nothing/5", ""),
        ("GET", "/plain/", ""),
    ],
)
def test_fastapi_routes_have_their_whole_template(
    tmp_path: Path, method: str, url: str, expected: str
) -> None:
    assert route_of(fastapi_app(tmp_path), method, url) == expected


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "/in/4", "/in/{x}"),
        ("POST", "/in/4", "/in/{x}"),
        ("GET", "/sub/8/z/9", "/sub/{y}/z/{k}"),
        ("GET", "/sub/8/more/end", "/sub/{y}/more/end"),
        ("GET", "/sub/8/none", ""),
        ("GET", "/files/a/b.txt", "/files/{path}"),
        ("GET", "http://api.shop/h/3", "/h/{n}"),
        ("GET", "/none", ""),
    ],
)
def test_starlette_routes_have_their_whole_template(
    tmp_path: Path, method: str, url: str, expected: str
) -> None:
    assert route_of(starlette_app(tmp_path), method, url) == expected
