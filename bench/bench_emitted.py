"""What one service of the SDK emits by 1,000 requests, and what the engines make of a day of it."""

from __future__ import annotations

import gzip
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import emission, measure
from bench.table import Row, Table

MODULE = "bench.bench_emitted"
REQUESTS, MANY = 1_000, 20_000
#: The example: requests a second, processes that share them, seconds between scrapes, share of traces that is kept.
RATE, PROCESSES, SCRAPE, KEPT = 100, 3, 15, 0.1
DAY = 86_400
#: Bytes of a sample on disk, as Prometheus documents them at most.
SAMPLE = 2
#: In the line that every request writes; the other is the handler's own.
_ACCESS = b'"obs.access"'


def thousand(_quick: bool) -> dict[str, Any]:
    """Make a thousand requests in this process."""
    return emission.emitted(REQUESTS)


def many(quick: bool) -> dict[str, Any]:
    """Make as many requests as fill files of Loki."""
    return emission.emitted(MANY // 4 if quick else MANY)


def table(quick: bool) -> Table:
    """Measure what a service emits."""
    found = emission.decoded(measure.fresh(MODULE, "thousand"))
    lines = found["lines"][0].splitlines(keepends=True)
    access = [line for line in lines if _ACCESS in line]
    own = [line for line in lines if _ACCESS not in line]
    assert len(access) == len(own) == REQUESTS
    spans, traced = _spans(found["traces"]), sum(map(len, found["traces"]))
    packed = sum(len(gzip.compress(body, 1)) for body in found["traces"])
    idle, busy = (_series(found[name][0]) for name in ("idle", "busy"))
    stored = _stored(emission.decoded(measure.fresh(MODULE, "many", *(["--quick"] if quick else []))))
    samples = busy * PROCESSES * DAY / SCRAPE
    rows = [
        _bytes("lines of access", access),
        _bytes("lines of its own, five fields", own),
        Row("spans, two a request", f"{traced / 1e3:,.0f} kB", f"{traced / spans:.0f} bytes a span"),
        Row("the same, gzip", f"{packed / 1e3:,.0f} kB", f"{packed / spans:.0f} bytes a span"),
        Row(f"series of {emission.ROUTES} routes", f"{busy:,}", f"{idle:,} of them before the first request"),
        Row("a scrape of them", f"{len(found['busy'][0]) / 1e3:,.0f} kB", "without compression"),
    ]
    if stored is not None:
        rows.append(Row("a line in files of Loki", f"{stored:.0f} bytes", "fields and ids included"))
    rows += [
        Row(
            "a day: Prometheus",
            _megabytes(samples * SAMPLE),
            f"{samples / 1e6:.1f} million samples of {SAMPLE} bytes",
        ),
        Row(
            "a day: Tempo",
            _megabytes(RATE * DAY * packed / REQUESTS * KEPT),
            f"{KEPT:.0%} of {RATE * DAY * spans / REQUESTS / 1e6:.1f} million spans, as gzip",
        ),
    ]
    if stored is not None:
        rows.append(
            Row(
                "a day: Loki",
                _megabytes(RATE * DAY * 2 * stored),
                f"{RATE * DAY * 2 / 1e6:.1f} million lines",
            )
        )
    return Table(
        "What a service emits by 1,000 requests",
        f"FastAPI, {emission.ROUTES} routes; each request writes the line of its access and one of its own, and has "
        f"the server's span and one within. The days are those of {RATE} requests a second, {PROCESSES} processes, a "
        f"scrape each {SCRAPE} s, {KEPT:.0%} of the traces kept; Loki's files are measured on a real one behind the "
        "collector, bytes of a sample are the most that Prometheus documents, Tempo's blocks are taken for gzip of OTLP",
        rows,
    )


def _bytes(what: str, lines: Sequence[bytes]) -> Row:
    size = sum(map(len, lines))
    return Row(what, f"{size / 1e3:,.0f} kB", f"{size / len(lines):.0f} bytes a line")


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def _series(text: bytes) -> int:
    return sum(not line.startswith(b"#") for line in text.splitlines() if line)


def _spans(bodies: Sequence[bytes]) -> int:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return sum(
        len(scope.spans)
        for body in bodies
        for group in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in group.scope_spans
    )


def _stored(found: dict[str, list[bytes]]) -> float | None:
    """Return what a line takes in the files of a Loki behind the collector; None where these are not there."""
    from obs.stack import engines, native
    from obs.stack.native_config import NativeConfig
    from obs.stack.ports import free
    from obs.stack.servers import SERVERS

    servers = ("loki", "collector")
    if not all(engines.find(SERVERS[name].engine) for name in servers):
        return None
    ports = {f"{name}.{port.role}": free() for name in servers for port in SERVERS[name].ports}
    lines = found["lines"][0]
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory).resolve()
        native.up(NativeConfig(directory=place, servers=servers, ports=ports), tied=True)
        try:
            (place / "log" / "services" / "checkout.log").write_bytes(lines)
            _await_delivered(ports["collector.metrics"], lines.count(b"\n"))
            # Answers once everything is in files, in contrast to /flush.
            _ask(f"http://127.0.0.1:{ports['loki.http']}/ingester/shutdown?flush=true&terminate=false", b"")
            chunks = (place / "loki" / "data" / "chunks").rglob("*")
            size = sum(path.stat().st_size for path in chunks if path.is_file())
        finally:
            native.down(place, purge=True)
    return size / lines.count(b"\n")


def _await_delivered(port: int, lines: int) -> None:
    deadline, name = time.monotonic() + 300, b"otelcol_exporter_sent_log_records_total"
    while time.monotonic() < deadline:
        text = _ask(f"http://127.0.0.1:{port}/metrics")
        if sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)) >= lines:
            return
        time.sleep(0.5)
    raise SystemExit(f"the collector did not deliver {lines} lines")


def _ask(url: str, body: bytes | None = None) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, body, timeout=60) as answer:
        text: bytes = answer.read()
        return text


if __name__ == "__main__":
    measure.main(MODULE, table, {"thousand": thousand, "many": many})
