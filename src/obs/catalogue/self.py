"""obs itself: what the SDK reports about its own health."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

COMPONENT = Label(
    "component",
    "The part of the SDK.",
    ("metrics", "logs", "traces", "crashes", "audit", "health", "integration", "setup"),
)
METRIC = Label("metric", "The metric that was capped.")
REASON = Label("reason", "Why it was lost.", ("queue_full", "export_failed", "rejected", "shutdown"))
LOGS_REASON = Label(
    "reason",
    "Why it was lost.",
    ("repeated", "stream", "queue_full", "export_failed", "rejected", "shutdown"),
)
VERSION = Label("version", "Version of the service.")
SDK_VERSION = Label("sdk.version", "Version of obs.")

ERRORS = Counter(
    id="obs.errors",
    metric="obs_errors_total",
    help="Errors inside obs that were kept from the host application.",
    unit="{error}",
    labels=(COMPONENT,),
)
OVERFLOW = Counter(
    id="obs.series.overflow",
    metric="obs_series_overflow_total",
    help="Observations that went to an overflow series: the metric was at its cap, or a label got a value it does not declare.",
    unit="{observation}",
    labels=(METRIC,),
)
SPANS_DROPPED = Counter(
    id="obs.spans.dropped",
    metric="obs_spans_dropped_total",
    help="Spans that were never delivered.",
    unit="{span}",
    labels=(REASON,),
)
LOGS_DROPPED = Counter(
    id="obs.logs.dropped",
    metric="obs_logs_dropped_total",
    help="Log lines that were left out because they repeated, or never delivered.",
    unit="{line}",
    labels=(LOGS_REASON,),
)
BUILD = Gauge(
    id="obs.build",
    metric="obs_build_info",
    help="Always 1; its labels tell which version of the service and of obs is running.",
    labels=(VERSION, SDK_VERSION),
    across="max",
)

SIGNALS = (ERRORS, OVERFLOW, SPANS_DROPPED, LOGS_DROPPED, BUILD)
