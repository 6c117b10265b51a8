"""What a scrape of 10,000 series costs, beside prometheus_client's own renderer, same bytes."""

from __future__ import annotations

import asyncio
import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench import measure
from bench.table import Row, Table, at_most, beside, exactly

MODULE = "bench.bench_scrape"
SERIES, WORKERS, REPEATS, ROUNDS = 10_000, 4, 7, 5
#: Of the time of prometheus_client.
TARGETS = {"text": 0.25, "workers": 0.06}
LABELS = ("route", "method", "status")
TEXT, OPENMETRICS = "text/plain", "application/openmetrics-text; version=1.0.0"


def fill_ours(obs: Any) -> None:
    counter = obs.counter("bench.orders", "Orders.", labels=LABELS)
    for number in range(SERIES):
        counter.inc(number + 0.5, route=f"/r/{number}", method="GET", status="200")


def fill_theirs(prometheus_client: Any, registry: Any = None) -> None:
    given = {"registry": registry} if registry is not None else {}
    counter = prometheus_client.Counter("bench_orders", "Orders.", LABELS, **given)
    for number in range(SERIES):
        counter.labels(f"/r/{number}", "GET", "200").inc(number + 0.5)


def endpoint(obs: Any, accept: str, encoding: str) -> Callable[[], bytes]:
    """Return what asks the metrics endpoint of an instrumented application, in process."""
    from starlette.applications import Starlette

    app = Starlette()
    obs.instrument(app)
    loop = asyncio.new_event_loop()
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/metrics",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"accept", accept.encode()), (b"accept-encoding", encoding.encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    def ask() -> bytes:
        parts: list[bytes] = []

        async def send(message: Any) -> None:
            parts.append(message.get("body", b""))

        loop.run_until_complete(app(dict(scope), receive, send))
        return b"".join(parts)

    return ask


def single(quick: bool) -> measure.Figures:
    """Compare one process's scrape in every form, taking turns."""
    import prometheus_client
    from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

    import obs

    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    obs.init("bench", log_level="critical", log_format="json", traces=False, series_cap=100_000)
    fill_ours(obs)
    registry = prometheus_client.CollectorRegistry()
    fill_theirs(prometheus_client, registry)
    text = endpoint(obs, TEXT, "identity")
    # Ours has obs' own signals too; the 10,000 series must be the same, byte for byte.
    assert family(text()) == prometheus_client.generate_latest(registry)
    candidates: dict[str, Callable[[], bytes]] = {
        "text": text,
        "gzip": endpoint(obs, TEXT, "gzip"),
        "openmetrics": endpoint(obs, OPENMETRICS, "identity"),
        "peer_text": lambda: prometheus_client.generate_latest(registry),
        "peer_gzip": lambda: gzip.compress(prometheus_client.generate_latest(registry)),
        "peer_openmetrics": lambda: openmetrics(registry),  # type: ignore[no-untyped-call]
    }
    return measure.slices(
        {name: _repeat(call) for name, call in candidates.items()}, 1, 3 if quick else REPEATS
    )


def workers(quick: bool) -> measure.Figures:
    """Compare a scrape that adds up four living workers, each with all series."""
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        import prometheus_client
        from prometheus_client import multiprocess, values

        import obs

        settings: dict[str, Any] = {"log_level": "critical", "traces": False, "series_cap": 100_000}
        obs.init("bench", log_format="json", metrics_dir=ours, **settings)
        text = endpoint(obs, TEXT, "identity")

        def fill() -> None:
            fill_ours(obs)
            # Read when it is imported. Not in the process that is scraped: where the host keeps its metrics
            # in files, the answer of obs has them too, and the peer's work would be counted as ours.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = theirs
            values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
            fill_theirs(prometheus_client)

        def peer() -> bytes:
            registry = prometheus_client.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry, path=theirs)  # type: ignore[no-untyped-call]
            return prometheus_client.generate_latest(registry)

        with _forked(fill):
            shown, expected = (
                {line for line in body.splitlines() if not line.startswith(b"#")}
                for body in (family(text()), peer())
            )
            assert shown == expected
            works = {"workers": _repeat(text), "peer_workers": _repeat(peer)}
            return measure.slices(works, 1, 3 if quick else REPEATS) | {"series": len(shown)}


@contextmanager
def _forked(work: Callable[[], None]) -> Iterator[None]:
    """Have `work` done in forked children, which live for as long as the block."""
    ready, hold = os.pipe(), os.pipe()
    children = []
    for _ in range(WORKERS):
        child = os.fork()
        if not child:
            os.close(hold[1])
            work()
            os.write(ready[1], b".")
            os.read(hold[0], 1)
            os._exit(0)
        children.append(child)
        os.read(ready[0], 1)
    try:
        yield
    finally:
        os.close(hold[1])
        for child in children:
            os.waitpid(child, 0)


def family(text: bytes) -> bytes:
    """Return the lines of the benchmark's own metric."""
    start = text.index(b"# HELP bench_orders_total")
    end = text.find(b"# HELP ", start + 1)
    return text[start:] if end < 0 else text[start:end]


def _repeat(call: Callable[[], bytes]) -> measure.Work:
    def work(count: int) -> None:
        for _ in range(count):
            call()

    return work


def table(quick: bool) -> Table:
    """Measure what a scrape costs."""
    found = measure.alternate(
        MODULE, ["single", "workers"], 1 if quick else ROUNDS, *(["--quick"] if quick else [])
    )
    renderer = "prometheus_client"
    rows = []
    for mode, name, what in (
        ("single", "text", "10,000 series, one process, same bytes"),
        ("single", "gzip", "the same, gzip"),
        ("single", "openmetrics", "the same, OpenMetrics"),
        ("workers", "workers", f"{WORKERS} workers of 10,000 series, merged"),
    ):
        middle = measure.medians(found[mode])
        peer = f"peer_{name}"
        ratio = measure.ratio(found[mode], name, peer)
        figure = f"{middle[name] / 1e3:.1f} ms"
        rows.append(Row(f"{renderer}: {what}", f"{middle[peer] / 1e3:.1f} ms", "1.00"))
        target = TARGETS.get(name)
        rows.append(
            at_most(f"obs: {what}", figure, ratio, target, renderer)
            if target
            else beside(f"obs: {what}", figure, ratio, renderer)
        )
    series = int(measure.medians(found["workers"])["series"])
    rows.append(exactly("obs: series of the merged scrape", series, SERIES, SERIES))
    return Table(
        "A scrape",
        "the answer of the endpoint, `_created` off for both; gzip: level 1 (obs), Python's default 9 (peer)",
        rows,
    )


if __name__ == "__main__":
    measure.main(MODULE, table, {"single": single, "workers": workers})
