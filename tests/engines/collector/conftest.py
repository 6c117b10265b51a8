"""One running collector for all tests that only look at what it does: behind it a real Loki and a recorder."""

from __future__ import annotations

import json
import signal
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engines.collector.backend import Backend, Received
from tests.engines.collector.running import Collector, loki, running, site

#: Percent of ordinary traces that are kept.
SHARE = 20
#: So that a test needs not wait for what is counted.
QUICKLY = "connectors: {span_metrics: {metrics_flush_interval: 1s}}"
#: Seconds may pass on a loaded machine between two halves of a line.
PATIENTLY = "receivers: {file_log: {force_flush_period: 10m}}"
#: Milliseconds from which a trace is slow.
SLOW = 500

#: Starts a collector with an overlay (YAML) and variables of the environment.
Start = Callable[..., Collector]

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Pipeline:
    """A collector, the Loki that it sends lines to, and what its trace and metric store received."""

    collector: Collector
    received: Received
    loki: str

    def lines(self, query: str) -> list[tuple[dict[str, str], str]]:
        """Return labels with structured metadata, and text, of each line of the last hours that a query finds."""
        parameters = urllib.parse.urlencode({"query": query, "limit": 5000, "since": "200h"})
        answer = self._ask(f"{self.loki}/loki/api/v1/query_range?{parameters}")
        return [(found["stream"], text) for found in answer["data"]["result"] for _, text in found["values"]]

    def labels(self) -> set[str]:
        """Return the names of what Loki has indexed."""
        return set(self._ask(f"{self.loki}/loki/api/v1/labels?since=200h")["data"])

    @staticmethod
    def _ask(url: str) -> Any:
        with _direct.open(url, timeout=30) as answer:
            return json.load(answer)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share processes in one worker, where the distribution heeds groups, which it reads next."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here) and "pipeline" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("collector"))


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The committed configuration with a short wait for decisions; shared, so each test has a service of its own."""
    with Backend() as backend:
        place = site(
            tmp_path_factory.mktemp("collector"),
            prometheus_http=backend.http_port,
            tempo_otlp_grpc=backend.grpc_port,
        )
        environment = {
            "OBS_SAMPLING_WAIT": "1s",
            "OBS_SAMPLING_PERCENT": str(SHARE),
            "OBS_SAMPLING_SLOW_MS": str(SLOW),
        }
        with (
            loki(place) as address,
            running(Collector(place, environment=environment, overlays=[QUICKLY, PATIENTLY])) as collector,
        ):
            yield Pipeline(collector, backend.received, address)


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A back end of the test's own."""
    with Backend() as started:
        yield started


@pytest.fixture
def start(tmp_path: Path, backend: Backend) -> Iterator[Start]:
    """Start a collector whose every back end is the recorder; it ends with the test."""
    started: list[Collector] = []

    def begin(overlay: str = "", **environment: str) -> Collector:
        place = site(
            tmp_path,
            loki_http=backend.http_port,
            prometheus_http=backend.http_port,
            tempo_otlp_grpc=backend.grpc_port,
        )
        collector = Collector(place, environment=environment, overlays=[overlay] if overlay else [])
        started.append(collector)
        collector.start()
        return collector

    yield begin
    for collector in started:
        collector.end(signal.SIGKILL)
