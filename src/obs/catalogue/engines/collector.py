"""OpenTelemetry Collector: what it refuses, keeps waiting, and cannot deliver, for each kind of data.

The names are those of its Prometheus reader as it is by default: counters end in `_total`.
"""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

EXPORTER = Label("exporter", "Name of the exporter in its configuration.")
RECEIVER = Label("receiver", "Name of the receiver in its configuration.")
TRANSPORT = Label("transport", "By which protocol the data came.")
FILTER = Label("filter", "Name of the filter in its configuration.")
DATA_TYPE = Label("data_type", "Kind of data that waits.", ("logs", "metrics", "traces"))

QUEUE_SIZE = Gauge(
    id="collector.queue.size",
    metric="otelcol_exporter_queue_size",
    help="How much waits in the queue of an exporter.",
    unit="{item}",
    labels=(EXPORTER, DATA_TYPE),
    origin="engine",
)
QUEUE_CAPACITY = Gauge(
    id="collector.queue.capacity",
    metric="otelcol_exporter_queue_capacity",
    help="How much the queue of an exporter holds.",
    unit="{item}",
    labels=(EXPORTER, DATA_TYPE),
    origin="engine",
)


def _exported(what: str, verb: str, kind: str, help_: str) -> Counter:
    return Counter(
        id=f"collector.{kind}.{what}",
        metric=f"otelcol_exporter_{verb}_{kind}_total",
        help=help_,
        unit=f"{{{kind.removesuffix('s')}}}",
        labels=(EXPORTER,),
        origin="engine",
    )


def _received(what: str, kind: str, help_: str) -> Counter:
    return Counter(
        id=f"collector.{kind}.{what}",
        metric=f"otelcol_receiver_{what}_{kind}_total",
        help=help_,
        unit=f"{{{kind.removesuffix('s')}}}",
        labels=(RECEIVER, TRANSPORT),
        origin="engine",
    )


#: Kind of data, as the queue calls it -> its counters, as everything else calls them.
KINDS = {"traces": "spans", "metrics": "metric_points", "logs": "log_records"}

SENT = {data: _exported("sent", "sent", kind, "Delivered.") for data, kind in KINDS.items()}
SEND_FAILED = {
    data: _exported("undelivered", "send_failed", kind, "Not delivered: attempts failed.")
    for data, kind in KINDS.items()
}
ENQUEUE_FAILED = {
    data: _exported("dropped", "enqueue_failed", kind, "Dropped: the queue was full.")
    for data, kind in KINDS.items()
}
ACCEPTED = {data: _received("accepted", kind, "Taken in.") for data, kind in KINDS.items()}
REFUSED = {
    data: _received("refused", kind, "Refused: the pipeline did not take it.") for data, kind in KINDS.items()
}
#: The filter of the stack that sees copies of what held a secret or personal data: it counts leaks.
MASKED = "filter/masked"
FILTERED = {
    data: Counter(
        id=f"collector.{kind}.filtered",
        metric=f"otelcol_processor_filter_{noun}_filtered_total",
        help="Dropped by a filter; by that of the stack called filter/masked: had something masked.",
        unit=f"{{{kind.removesuffix('s')}}}",
        labels=(FILTER,),
        origin="engine",
    )
    for data, kind, noun in (("traces", "spans", "spans"), ("logs", "log_records", "logs"))
}

SIGNALS = (
    QUEUE_SIZE,
    QUEUE_CAPACITY,
    *SENT.values(),
    *SEND_FAILED.values(),
    *ENQUEUE_FAILED.values(),
    *ACCEPTED.values(),
    *REFUSED.values(),
    *FILTERED.values(),
)
