"""Queues of messages: how many wait, for how long, and how long the work on one takes.

Whoever can see the queue reports it (the broker's exporter, or a worker by `obs.gauge`); several
workers that report the same queue agree by the largest figure.
"""

from __future__ import annotations

from obs.catalogue.jobs import JOB_BUCKETS
from obs.catalogue.signal import Counter, Gauge, Histogram, Label

QUEUE = Label("messaging.destination.name", "Name of the queue or topic.", bounded=False, classic="queue")
ERROR_TYPE = Label("error.type", "Exception class of a failed message, else empty.", classic="error")

DEPTH = Gauge(
    id="queue.depth",
    metric="queue_depth",
    help="Messages that wait in the queue.",
    unit="{message}",
    labels=(QUEUE,),
    across="max",
)
OLDEST_AGE = Gauge(
    id="queue.oldest_age",
    metric="queue_oldest_message_age_seconds",
    help="How long the oldest message of the queue has been waiting; 0 when none waits.",
    unit="s",
    labels=(QUEUE,),
    across="max",
)
DEAD_LETTERS = Counter(
    id="queue.dead_letters",
    metric="queue_dead_letter_messages_total",
    help="Messages that were given up and put aside.",
    unit="{message}",
    labels=(QUEUE,),
)
PROCESSING = Histogram(
    id="messaging.process.duration",
    metric="messaging_process_duration_seconds",
    help="Duration of the work on one message.",
    labels=(QUEUE, ERROR_TYPE),
    buckets=JOB_BUCKETS,
)

SIGNALS = (DEPTH, OLDEST_AGE, DEAD_LETTERS, PROCESSING)
