"""Tempo: spans that it refuses."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

VERSION = Label("version", "Version of Tempo.")
REASON = Label("reason", "Why the spans were refused.")
TENANT = Label("tenant", "Whose spans they were.", bounded=False)

SPANS_RECEIVED = Counter(
    id="tempo.spans.received",
    metric="tempo_distributor_spans_received_total",
    help="Spans that arrived.",
    unit="{span}",
    labels=(TENANT,),
    origin="engine",
)
SPANS_DISCARDED = Counter(
    id="tempo.spans.discarded",
    metric="tempo_discarded_spans_total",
    help="Spans that were refused.",
    unit="{span}",
    labels=(REASON, TENANT),
    origin="engine",
)

BUILD = Gauge(
    id="tempo.build",
    metric="tempo_build_info",
    help="Always 1; its label tells which version is running.",
    labels=(VERSION,),
    origin="engine",
)

SIGNALS = (SPANS_RECEIVED, SPANS_DISCARDED, BUILD)
