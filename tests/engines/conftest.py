"""Real engines, installed into the user's own cache so that a second run finds them, and stacks of them.

Installing is part of the tests: an engine that cannot be had is an error of every test that asks for it.
"""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from obs.stack import engines, native
from obs.stack.engine import Engine
from obs.stack.native import NativeConfig, ServerStatus
from obs.stack.ports import free

#: The oldest engines that we promise to work with, and the newest that Go builds.
ROUTES = ("debian", "go")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let groups of tests be heeded where pytest keeps ids in another place than pytest-xdist 3.8 writes them to.

    Without it each worker starts every shared stack, and no test fails for it.
    """
    for item in items:
        grouped, kept = getattr(item, "_nodeid", None), getattr(item, "_id", None)
        if grouped is not None and kept is not None and grouped != item.nodeid:
            setattr(item, "_id", kept.parse(grouped))  # noqa: B010 - private to pytest, and not known to its types


@dataclass(frozen=True)
class Stack:
    """A running native stack."""

    config: NativeConfig
    servers: dict[str, ServerStatus]

    @property
    def prometheus(self) -> str:
        """Address of Prometheus."""
        return str(self.servers["prometheus"].url)

    @property
    def alertmanager(self) -> str:
        """Address of Alertmanager."""
        return str(self.servers["alertmanager"].url)

    def ask(self, url: str) -> Any:
        """Return the JSON at `url`."""
        with _direct.open(url, timeout=60) as answer:
            return json.load(answer)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the result vector of a PromQL expression."""
        query = urllib.parse.urlencode({"query": expression})
        result: list[dict[str, Any]] = self.ask(f"{self.prometheus}/api/v1/query?{query}")["data"]["result"]
        return result

    def await_result(self, expression: str, *, within: float = 60.0) -> list[dict[str, Any]]:
        """Return the first result of an expression that is not empty; the limit only ends a failed test."""
        deadline = time.monotonic() + within
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, f"no result for {expression}"
            time.sleep(0.2)
        return found


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

StartStack = Callable[..., Stack]


@pytest.fixture(scope="session")
def installed() -> Callable[[str], dict[str, Engine]]:
    """Install all four engines by one route (at once where the cache has them) and return them."""
    done: dict[str, dict[str, Engine]] = {}

    def install(route: str) -> dict[str, Engine]:
        if route not in done:
            done[route] = engines.install(routes=[route])
        return done[route]

    return install


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest, installed: Callable[[str], dict[str, Engine]]) -> str:
    """Each route once; its engines are installed."""
    installed(request.param)
    return str(request.param)


@pytest.fixture
def start_stack(tmp_path: Path, installed: Callable[[str], dict[str, Engine]]) -> Iterator[StartStack]:
    """Start a native stack on free ports; options are those of `NativeConfig`, `route` is go by default."""
    directories: list[Path] = []

    def start(*, route: str = "go", **options: Any) -> Stack:
        installed(route)
        directory = tmp_path / f"stack-{len(directories)}"
        directories.append(directory)
        config = NativeConfig(
            directory=directory,
            ports={"prometheus": free(), "alertmanager": free()},
            routes=[route],
            **{"scrape_interval": "500ms", "evaluation_interval": "500ms", **options},
        )
        return Stack(config, {server.name: server for server in native.up(config, tied=True)})

    yield start
    for directory in directories:
        native.down(directory)
