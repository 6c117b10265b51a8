"""Alerts on the collector: each kind of data on its own, for each has a queue of its own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from obs.catalogue import Counter
from obs.catalogue.engines.collector import (
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
)
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.forms.events import Event, event_draft
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.level import Track, level_cases, near
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

EXPORT_FAILING = Defaults("ticket", Duration.parse("5m"), Decimal(1), window=Duration.parse("10m"))
DROPPING_DATA = Defaults("page", Duration.parse("1m"), Decimal(1), window=Duration.parse("10m"))
QUEUE_NEARLY_FULL = Defaults("page", Duration.parse("5m"), Decimal("0.8"), "ratio")
REFUSING_DATA = Defaults("ticket", Duration.parse("5m"), Decimal(1), window=Duration.parse("10m"))

# An hour, so that a leak that comes now and then is one ticket.
MASKED_SECRETS = Defaults("ticket", Duration.parse("5m"), Decimal(1), window=Duration.parse("1h"))

_EXPORTER, _RECEIVER = "otlp_http/loki", "otlp"


def export_failing(kit: Kit) -> Draft:
    """Return CollectorExportFailing: an exporter gave up on data."""
    return _of_each_kind(
        kit, "CollectorExportFailing", SEND_FAILED, EXPORTER.name, _EXPORTER, "items not delivered"
    )


def dropping_data(kit: Kit) -> Draft:
    """Return CollectorDroppingData: a queue is full, so that what arrives is thrown away."""
    return _of_each_kind(
        kit, "CollectorDroppingData", ENQUEUE_FAILED, EXPORTER.name, _EXPORTER, "items dropped"
    )


def refusing_data(kit: Kit) -> Draft:
    """Return CollectorRefusingData: senders are told to come back later."""
    return _of_each_kind(kit, "CollectorRefusingData", REFUSED, RECEIVER.name, _RECEIVER, "items refused")


def masked_secrets(kit: Kit) -> Draft:
    """Return CollectorMaskedSecrets: a service sent what its SDK should have masked."""
    counted = [
        Event(FILTERED[kind], where={FILTER.name: MASKED}, data_type=kind) for kind in ("logs", "traces")
    ]
    return event_draft(kit, "CollectorMaskedSecrets", counted, what="records with secrets")


def queue_nearly_full(kit: Kit) -> Draft:
    """Return CollectorQueueNearlyFull: what cannot be delivered has nearly filled the queue."""
    names, line = kit.names, kit.settings.threshold
    size, capacity = names.metric(QUEUE_SIZE.id), names.metric(QUEUE_CAPACITY.id)
    exporter, kind = names.label(QUEUE_SIZE.id, EXPORTER.name), names.label(QUEUE_SIZE.id, DATA_TYPE.name)
    by = f"{BY}, instance, {exporter}, {kind}"
    shows = {"instance": "one", exporter: _EXPORTER, kind: "logs"}

    def write(track: Track) -> tuple[Sample, ...]:
        labels, holds = {exporter: _EXPORTER, kind: "logs"}, Decimal(1_000_000)
        waiting = [(steps, None if share is None else share * holds) for steps, share in track]
        room = [(steps, None if share is None else holds) for steps, share in track]
        return (Sample(size, labels, gauge(waiting)), Sample(capacity, labels, gauge(room)))

    above, below, low = near(line, most=Decimal(1))
    return Draft(
        name="CollectorQueueNearlyFull",
        # Only kind by kind: each has a queue of its own, and the fullest must not hide behind the largest.
        expr=(
            f"max by ({by}) ({names.selector(size)}) / max by ({by}) ({names.selector(capacity)} > 0) > {line:f}"
        ),
        signals=(QUEUE_SIZE.id, QUEUE_CAPACITY.id),
        threshold=Threshold(line, "ratio", ">", f"more than {words(line, 'ratio')} of a queue is in use"),
        summary=(
            f"{{{{ $labels.service }}}}: the queue of {{{{ $labels.{exporter} }}}} for {{{{ $labels.{kind} }}}} is "
            "{{ $value | humanizePercentage }} full"
        ),
        description=(
            f"On {{{{ $labels.instance }}}} of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) the queue of "
            f"{{{{ $labels.{exporter} }}}} for {{{{ $labels.{kind} }}}} is {{{{ $value | humanizePercentage }}}} full; "
            f"the alert watches for more than {words(line, 'ratio')}. A full queue blocks senders or loses data."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows=shows),
        window=Duration(0),
    )


def _of_each_kind(  # noqa: PLR0917 - three alerts read best as one table
    kit: Kit, name: str, counters: Mapping[str, Counter], label: str, example: str, what: str
) -> Draft:
    counted = [
        Event(counters[kind], apart={label: example}, data_type=kind)
        for kind in ("logs", "metrics", "traces")
    ]
    return event_draft(kit, name, counted, what=what)
