"""Runbooks of the alerts on the collector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obs.catalogue import Counter
from obs.catalogue.engines.collector import (
    ACCEPTED,
    DATA_TYPE,
    ENQUEUE_FAILED,
    EXPORTER,
    FILTER,
    FILTERED,
    MASKED,
    QUEUE_CAPACITY,
    QUEUE_SIZE,
    RECEIVER,
    REFUSED,
    SEND_FAILED,
    SENT,
)
from obs.generate.derive.guidance.engine import read_log, restarted, restore
from obs.generate.derive.guidance.investigation import escalate
from obs.generate.derive.guidance.queries import Match, Queries, look_back, spell
from obs.generate.model import Action, Alert, Runbook, Step


def export_failing(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CollectorExportFailing: an exporter gave up on data."""
    window = look_back(alerts[0])
    failed = _each(ask, SEND_FAILED, EXPORTER.name, window)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "An exporter of the collector gave up on items: the engine behind it refused them for good, or did not "
            "answer until the retries ended. The labels `exporter` and `data_type` say what and where to."
        ),
        impact="These items are lost: logs, metrics or traces of the time have holes.",
        diagnosis=(
            Step(
                "See which exporter loses which kind of data, beside what it still delivers.",
                (*failed, *_each(ask, SENT, EXPORTER.name, window)),
                (
                    (
                        "nothing is delivered any more",
                        "the engine is down or unreachable: follow TargetDown of it; then step 2.",
                    ),
                    ("most is delivered", "some items are refused for good; go on with step 2."),
                ),
            ),
            read_log(
                ask,
                "exporting failed|permanent error",
                (
                    "status 400",
                    "the engine refuses the items as they are: follow its own alert (LokiLinesDiscarded).",
                ),
                ("status 401 or 403", "the credentials have expired: Mitigation 1."),
                ("status 413 or message too large", "batches are too large: Mitigation 2."),
                ("no more retries left", "the outage was longer than the retries: Mitigation 3."),
            ),
            restarted(ask, 2),
        ),
        mitigation=(
            restore("configuration of the collector"),
            Action(
                "Lower `sending_queue.batch.max_size` of that exporter and restart.",
                "batches pass; throughput stays the same.",
                "5 minutes.",
            ),
            Action(
                "Set `retry_on_failure.max_elapsed_time: 0` and a stored queue for that exporter, and restart.",
                "the next outage delays data in place of losing it.",
                "15 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="audit or security events are among the lost items",
        ),
        verification=(_none_left(failed, window),),
    )


def dropping_data(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CollectorDroppingData: a queue is full, so that what arrives is thrown away."""
    window = look_back(alerts[0])
    dropped = _each(ask, ENQUEUE_FAILED, EXPORTER.name, window)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "The queue of an exporter is full and does not block, so the collector throws away what arrives. The "
            "labels `exporter` and `data_type` say what and where to."
        ),
        impact="Data is being lost right now, and more of it each second.",
        diagnosis=(
            Step(
                "See what is dropped, and how full the queues are.",
                (*dropped, _fullness(ask)),
                (
                    ("a queue is full", "what it feeds is slow or down: go on with step 2."),
                    ("no queue is full", "it was a burst: enlarge the queue; Mitigation 2."),
                ),
            ),
            Step(
                "Compare what is delivered with what fails.",
                (*_each(ask, SENT, EXPORTER.name, window), *_each(ask, SEND_FAILED, EXPORTER.name, window)),
                (
                    (
                        "nothing is delivered",
                        "the engine behind it is down: follow TargetDown of it; Mitigation 1.",
                    ),
                    ("it is delivered, but slower than it comes", "the engine is too slow: Mitigation 3."),
                ),
            ),
            read_log(
                ask,
                "queue is full|sending queue",
                ("it names one exporter", "that one; the others are not touched."),
                ("file_storage errors", "the disk of the queue is full or read-only: free it."),
            ),
        ),
        mitigation=(
            Action(
                "Bring the engine behind it back: its own runbook says how.",
                "the queue drains and nothing more is dropped.",
                "as long as that takes.",
            ),
            Action(
                "Enlarge `sending_queue.queue_size`, store it on disk, set `block_on_overflow: true`, and restart.",
                "senders wait in place of losing data; what is in memory at the restart is lost.",
                "5 minutes.",
            ),
            Action(
                "Raise `num_consumers` of the exporter, or filter debug lines before it.",
                "more is delivered at once, or less has to be.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(ask.service.team, urgent=True, when="nothing is delivered after the first step"),
        verification=(_none_left(dropped, window),),
    )


def queue_nearly_full(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CollectorQueueNearlyFull: what cannot be delivered has nearly filled the queue."""
    full = _fullness(ask)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "An exporter delivers less than arrives, and its queue for one kind of data is nearly full. The queue of "
            "each kind is its own: the labels `exporter` and `data_type` say which."
        ),
        impact="Nothing is lost yet. When it is full, senders are blocked or data is dropped.",
        diagnosis=(
            Step(
                "See how full the queues are, and when they will be full at this pace, in seconds.",
                (full, _time_left(ask)),
                (
                    ("one queue fills", "its engine is slow or down; go on with step 2."),
                    (
                        "all queues fill",
                        "the collector itself is short of CPU or network; go on with step 3.",
                    ),
                ),
            ),
            Step(
                "Compare what is delivered with what fails.",
                (*_each(ask, SENT, EXPORTER.name, "5m"), *_each(ask, SEND_FAILED, EXPORTER.name, "5m")),
                (
                    ("nothing is delivered", "the engine is down: follow TargetDown of it; Mitigation 1."),
                    ("it is delivered slowly", "the engine is overloaded: Mitigation 2."),
                ),
            ),
            restarted(ask, 2),
        ),
        mitigation=(
            Action(
                "Bring the engine behind it back: its own runbook says how.",
                "the queue drains.",
                "as long as that takes.",
            ),
            Action(
                "Raise `num_consumers` of the exporter and restart; a stored queue survives that.",
                "more is delivered at once, if the engine can take it.",
                "5 minutes.",
            ),
            Action(
                "Enlarge `sending_queue.queue_size`, when disk or memory allow it.",
                "there is more time until data is lost.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="the queue will be full within 15 minutes",
        ),
        verification=(
            Step(
                "Every queue is less than half full, and falls.",
                (full,),
                (
                    ("both hold", "it is over: the rest drains by itself."),
                    ("it stays where it is", "as much arrives as is delivered: Mitigation 2."),
                ),
            ),
        ),
    )


def refusing_data(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CollectorRefusingData: senders are told to come back later."""
    window = look_back(alerts[0])
    refused = _each(ask, REFUSED, RECEIVER.name, window)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "A receiver of the collector refused items, because its memory limit was reached or the pipeline behind "
            "it did not take them. Senders that retry will come again; others have lost their data."
        ),
        impact="Logs and metrics come late. Spans of services that do not retry are lost.",
        diagnosis=(
            Step(
                "See which receiver refuses which kind of data, beside what it takes.",
                (*refused, *_each(ask, ACCEPTED, RECEIVER.name, window)),
                (
                    ("everything is refused", "the memory limit or a full queue; go on with step 2."),
                    ("a little is refused", "bursts reach the memory limit: Mitigation 1."),
                ),
            ),
            Step(
                "See whether a queue is full.",
                (_fullness(ask),),
                (
                    ("one is", "follow CollectorQueueNearlyFull."),
                    ("none is", "memory is short; go on with step 3."),
                ),
            ),
            read_log(
                ask,
                "memory usage|refus",
                ("memory usage is above limit", "Mitigation 1."),
                ("it names a processor", "its configuration refuses the data: restore it, Mitigation 2."),
            ),
        ),
        mitigation=(
            Action(
                "Give the collector more memory, and GOMEMLIMIT with it, or start one more.",
                "nothing is refused any more; senders deliver what they kept.",
                "5 minutes.",
            ),
            restore("configuration of the collector"),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="everything has been refused for 15 minutes",
        ),
        verification=(_none_left(refused, window),),
    )


def masked_secrets(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CollectorMaskedSecrets: a service sent what its SDK should have masked."""
    window = look_back(alerts[0])
    masked = _each(ask, FILTERED, FILTER.name, window, (FILTER.name, "=", MASKED))
    leaking = '{service=~".+"} | redaction_masked_count > 0 or redaction_body_masked_count > 0'
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Log lines or spans reached the collector with a secret or personal data in them: a password, a token, a "
            "card number, an e-mail address. It masked what it knew, so the engines hold `****`; the label "
            "`data_type` says whether lines (`logs`) or spans (`traces`) did."
        ),
        impact=(
            "What was masked is safe. The service still writes it: it stands in the clear in its files or on the wire "
            "up to the collector, and the next one may have a form that no pattern knows."
        ),
        diagnosis=(
            Step(
                "See how many records it was, of which kind, and whether more come.",
                masked,
                (
                    ("lines", "go on with step 2."),
                    ("spans only", "go on with step 3."),
                ),
            ),
            Step(
                "Find the service and the line. What was masked is `****`; the names of the fields are kept.",
                outcomes=(
                    (
                        "a password, key or token was there",
                        "whoever read the file has it: Mitigation 1, then 2.",
                    ),
                    ("personal data was there", "Mitigation 2, then 3."),
                    ("it is no secret at all", "a number or a name that only looks like one: Mitigation 4."),
                ),
                logs=(leaking, f"sum by (service) (count_over_time({leaking} [{window}]))"),
            ),
            Step(
                'Find the span: in Explore, data source Tempo, TraceQL `{span."redaction.masked.count" > 0}`. '
                "Sampling keeps only a part of them.",
                outcomes=(
                    ("a password, key or token was there", "Mitigation 1, then 2."),
                    ("personal data was there", "Mitigation 2."),
                    (
                        "none is found",
                        "sampling dropped it: wait for the next, or read what the service was changed in.",
                    ),
                ),
            ),
        ),
        mitigation=(
            Action(
                "Replace the secret where it is issued, and end sessions that it opened.",
                "what was read is worth nothing.",
                "15 minutes.",
            ),
            Action(
                "Stop writing it: log an id in its place, or name the field in `redact_keys` of the service's SDK.",
                "it does not leave the process any more.",
                "a release of that service.",
            ),
            Action(
                "Delete the lines from the service's own files and from what was copied off them.",
                "it is nowhere in the clear.",
                "30 minutes.",
            ),
            Action(
                "Rename the field, or narrow the pattern in `redaction.blocked_values` of the collector, and test both ways.",
                "the alert speaks of secrets only.",
                "30 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="the secret opens a system in production, or customers' data left the company",
        ),
        verification=(
            Step(
                f"Nothing more was masked for {spell(window)}.",
                masked,
                (
                    ("all values are 0 or absent", "it is over, once the old lines are deleted."),
                    ("a value grows", "somebody else writes one too: Diagnosis 2."),
                ),
            ),
        ),
    )


def _each(
    ask: Queries, counters: Mapping[str, Counter], label: str, window: str, *where: Match
) -> tuple[str, ...]:
    return tuple(
        f"sum {ask.by(signal, label)} (increase({ask.series(signal, *where)}[{window}]))"
        for signal in counters.values()
    )


def _fullness(ask: Queries) -> str:
    by = ask.by(QUEUE_SIZE, EXPORTER.name, DATA_TYPE.name)
    return f"max {by} ({ask.series(QUEUE_SIZE)} / ({ask.series(QUEUE_CAPACITY)} > 0))"


def _time_left(ask: Queries) -> str:
    by = ask.by(QUEUE_SIZE, EXPORTER.name, DATA_TYPE.name)
    size = ask.series(QUEUE_SIZE)
    return f"min {by} (({ask.series(QUEUE_CAPACITY)} - {size}) / (deriv({size}[15m]) > 0))"


def _none_left(queries: tuple[str, ...], window: str) -> Step:
    return Step(
        f"Nothing more is counted for {spell(window)}.",
        queries,
        (
            ("all values are 0 or absent", "it is over."),
            ("a value grows", "go on with Diagnosis 1 on that exporter or receiver."),
        ),
    )
