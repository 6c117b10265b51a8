"""Loki: requests that fail, lines that it refuses."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Histogram, Label

VERSION = Label("version", "Version of Loki.")
METHOD = Label("method", "HTTP method, or gRPC for calls between its parts.")
ROUTE = Label("route", "Name of the endpoint.")
STATUS_CODE = Label("status_code", "HTTP status, or success and error of a gRPC call.")
REASON = Label("reason", "Why the lines were refused.")
TENANT = Label("tenant", "Whose lines they were.", bounded=False)

REQUEST_DURATION = Histogram(
    id="loki.request.duration",
    metric="loki_request_duration_seconds",
    help="Duration of requests.",
    labels=(METHOD, ROUTE, STATUS_CODE),
    origin="engine",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0),
)
REQUESTS = Counter(
    id="loki.requests",
    metric="loki_request_duration_seconds_count",
    help="Requests that have ended.",
    unit="{request}",
    labels=(METHOD, ROUTE, STATUS_CODE),
    origin="engine",
    counted_by="loki.request.duration",
)
LINES_RECEIVED = Counter(
    id="loki.lines.received",
    metric="loki_distributor_lines_received_total",
    help="Lines that arrived.",
    unit="{line}",
    labels=(TENANT,),
    origin="engine",
)
LINES_DISCARDED = Counter(
    id="loki.lines.discarded",
    metric="loki_discarded_samples_total",
    help="Lines that were refused.",
    unit="{line}",
    labels=(REASON, TENANT),
    origin="engine",
)

BUILD = Gauge(
    id="loki.build",
    metric="loki_build_info",
    help="Always 1; its label tells which version is running.",
    labels=(VERSION,),
    origin="engine",
)

SIGNALS = (REQUEST_DURATION, REQUESTS, LINES_RECEIVED, LINES_DISCARDED, BUILD)
