"""What one request costs with obs, as a ratio to the bare application and to stacked peer parts.

Each candidate runs in an interpreter of its own next to the bare application measured in that same
interpreter; rounds are interleaved and the best of each is kept. Nothing touches the network, log
lines go to the null device. Peer parts that are not installed are left out and named.

    python bench/bench_request.py [ROUNDS]
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

REQUESTS = 400
REPEATS = 9
SCOPE: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/hello/bob",
    "raw_path": b"/hello/bob",
    "query_string": b"",
    "root_path": "",
    "client": ("127.0.0.1", 5000),
    "server": ("127.0.0.1", 8000),
}
HEADERS = [(b"host", b"svc.local"), (b"user-agent", b"bench/1"), (b"accept", b"*/*")]


def application(**options: Any) -> FastAPI:
    app = FastAPI(**options)

    @app.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        return {"hello": name}

    return app


def with_obs(**settings: Any) -> FastAPI:
    import obs
    from obs.runtime.otel import tracing

    vars(tracing)["http_exporter"] = _dropping
    obs.init("bench", log_format="json", **settings)
    app = application()
    obs.instrument(app)
    return app


def obs_with_export() -> FastAPI:
    return with_obs(otlp_endpoint="http://127.0.0.1:9")


def obs_without_export() -> FastAPI:
    return with_obs()


def obs_sampled_out() -> FastAPI:
    return with_obs(otlp_endpoint="http://127.0.0.1:9", traces_ratio=0.0)


def peer_fastapi_traces() -> FastAPI:
    _provider()
    return application(telemetry={"operation_spans": False})


def peer_structlog_line() -> FastAPI:
    app = application()
    app.add_middleware(_AccessLine, log=_structlog())
    return app


def peer_prometheus() -> FastAPI:
    app = application()
    app.add_middleware(_Counted)
    return app


def peers_stacked() -> FastAPI:
    """FastAPI's own span, prometheus_client counter and histogram, structlog line, one layer each."""
    _provider()
    app = application(telemetry={"operation_spans": False})
    app.add_middleware(_AccessLine, log=_structlog())
    app.add_middleware(_Counted)
    return app


def peers_stacked_contrib() -> FastAPI:
    """OpenTelemetry's FastAPI instrumentation in place of the framework's own span."""
    from opentelemetry.instrumentation.fastapi import (  # type: ignore[import-not-found,unused-ignore]
        FastAPIInstrumentor,
    )

    _provider()
    app = application()
    app.add_middleware(_AccessLine, log=_structlog())
    app.add_middleware(_Counted)
    FastAPIInstrumentor.instrument_app(app)
    return app


CANDIDATES: dict[str, tuple[Callable[[], FastAPI], str]] = {
    "obs_with_export": (obs_with_export, ""),
    "obs_without_export": (obs_without_export, ""),
    "obs_sampled_out": (obs_sampled_out, ""),
    "peer_fastapi_traces": (peer_fastapi_traces, ""),
    "peer_structlog_line": (peer_structlog_line, ""),
    "peer_prometheus": (peer_prometheus, ""),
    "peers_stacked": (peers_stacked, ""),
    "peers_stacked_contrib": (peers_stacked_contrib, "opentelemetry.instrumentation"),
}
REFERENCE = "peers_stacked"


class _AccessLine:
    def __init__(self, app: Any, log: Any) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started, status = time.perf_counter(), 500

        async def watch(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            spent = round((time.perf_counter() - started) * 1e3, 3)
            self.log.info("request", method=scope["method"], path=scope["path"], status=status, ms=spent)


class _Counted:
    def __init__(self, app: Any) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        registry, names = CollectorRegistry(), ("method", "path", "status")
        self.app = app
        self.count = Counter("http_requests", "Requests.", names, registry=registry)
        self.seconds = Histogram("http_request_duration_seconds", "Durations.", names, registry=registry)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started, status = time.perf_counter(), 500

        async def watch(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            labels = (scope["method"], scope["route"].path, str(status))
            self.count.labels(*labels).inc()
            self.seconds.labels(*labels).observe(time.perf_counter() - started)


def _structlog() -> Any:
    import structlog
    from opentelemetry import trace

    def ids(_: Any, __: str, event: Any) -> Any:
        found = trace.get_current_span().get_span_context()
        if found.is_valid:
            event["trace_id"] = format(found.trace_id, "032x")
            event["span_id"] = format(found.span_id, "016x")
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            ids,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
        logger_factory=structlog.WriteLoggerFactory(),
    )
    return structlog.get_logger()


def _dropping(*_: Any) -> Any:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Dropping(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
            return SpanExportResult.SUCCESS

    return Dropping()


def _provider() -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_dropping()))
    trace.set_tracer_provider(provider)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def measure(app: FastAPI) -> float:
    """Return the best microseconds a request."""

    async def requests(count: int) -> None:
        answered = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        for _ in range(count):
            await app({**SCOPE, "headers": list(HEADERS), "state": {}}, _receive, send)
        assert answered == [200] * count

    async def run() -> float:
        await requests(REQUESTS // 4)
        best = float("inf")
        for _ in range(REPEATS):
            started = time.perf_counter()
            await requests(REQUESTS)
            best = min(best, (time.perf_counter() - started) / REQUESTS * 1e6)
        return best

    return asyncio.run(run())


def run_one(name: str) -> None:
    """Measure one candidate and print its row to stderr; stdout is the null device."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    bare = measure(application())
    spent = measure(CANDIDATES[name][0]())
    sys.stderr.write(json.dumps({"bare": bare, "us": spent}) + "\n")
    sys.stderr.flush()
    os._exit(0)


def run_all(rounds: int) -> None:
    """Measure every candidate, interleaved, and print the ratios."""
    missing = [name for name, (_, needs) in CANDIDATES.items() if needs and not _installed(needs)]
    names = [name for name in CANDIDATES if name not in missing]
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            done = subprocess.run(
                [sys.executable, __file__, name], capture_output=True, text=True, check=True
            )
            rows[name].append(json.loads(done.stderr.splitlines()[-1]))
    added = {
        name: statistics.median(row["us"] - row["bare"] for row in found) for name, found in rows.items()
    }
    print(f"{'candidate':24} {'us':>8} {'x bare':>8} {'added us':>9} {'added x ' + REFERENCE:>24}")
    for name, found in rows.items():
        spent = statistics.median(row["us"] for row in found)
        ratio = statistics.median(row["us"] / row["bare"] for row in found)
        print(
            f"{name:24} {spent:8.1f} {ratio:8.2f} {added[name]:9.1f} {added[name] / added[REFERENCE]:24.2f}"
        )
    for name in missing:
        print(f"{name:24} not installed")


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in CANDIDATES:
        run_one(sys.argv[1])
    else:
        run_all(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
