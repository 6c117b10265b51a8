"""Runbooks of the alerts on Loki itself."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.engines.loki import (
    LINES_DISCARDED,
    LINES_RECEIVED,
    METHOD,
    REASON,
    REQUESTS,
    ROUTE,
    STATUS_CODE,
    TENANT,
)
from obs.generate.derive.guidance.engine import read_log, restarted, restore
from obs.generate.derive.guidance.investigation import escalate
from obs.generate.derive.guidance.queries import Match, Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step

_FAILED: Match = (STATUS_CODE.name, "=~", "5..")


def request_errors(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """LokiRequestErrors: logs cannot be written or read."""
    window = look_back(alerts[0])
    by = ask.by(REQUESTS, METHOD.name, ROUTE.name, STATUS_CODE.name)
    route = ask.by(REQUESTS, ROUTE.name)
    failed = f"sum {by} (rate({ask.series(REQUESTS, _FAILED)}[{window}]))"
    share = (
        f"sum {route} (rate({ask.series(REQUESTS, _FAILED)}[{window}])) "
        f"/ sum {route} (rate({ask.series(REQUESTS)}[{window}]))"
    )
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {percent(alerts[0].threshold.value)} of the requests to a route of Loki end with a status of "
            "500 or above. The label `route` says which: writing (`push`, `otlp`) or reading (`query`)."
        ),
        impact=(
            "When writing fails, lines wait at the collector, on disk, until its queue is full. When reading fails, "
            "nobody can search logs and the rules on logs are blind."
        ),
        diagnosis=(
            Step(
                "Find the route, the method and the status.",
                (f"topk(5, {failed})",),
                (
                    ("writing fails", "go on with step 2; watch CollectorQueueNearlyFull meanwhile."),
                    (
                        "reading fails with 504",
                        "a query reads too much: find it in step 2, then Mitigation 2.",
                    ),
                    ("both fail", "storage or memory; go on with step 2."),
                ),
            ),
            read_log(
                ask,
                "level=error",
                ("no space left on device", "Mitigation 1."),
                (
                    "too many unhealthy instances in the ring",
                    "an instance is gone: follow TargetDown of this service.",
                ),
                ("context deadline exceeded", "storage is slow or a query is too large: Mitigation 2."),
                ("it names the object store", "credentials or network of the store: ask its owner."),
            ),
            restarted(ask, 2),
        ),
        mitigation=(
            Action(
                "Free disk: shorten `limits_config.retention_period`, restart the compactor, or enlarge the volume.",
                "writes succeed again, and the collectors deliver what they hold.",
                "10 to 30 minutes.",
            ),
            Action(
                "Stop the query: close the dashboard that sends it, or lower `max_query_length` for a while.",
                "memory and time go back to the others.",
                "5 minutes.",
            ),
            restore("configuration of Loki"),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="a collector's queue is more than half full",
        ),
        verification=(
            Step(
                f"No route fails for {spell(window)}.",
                (share,),
                (
                    ("all values are 0 or absent", "it is over; see that the collectors' queues drain."),
                    ("a route still fails", "go on with Diagnosis 2."),
                ),
            ),
        ),
    )


def lines_discarded(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """LokiLinesDiscarded: lines arrived and were refused for good."""
    window = look_back(alerts[0])
    by = ask.by(LINES_DISCARDED, REASON.name, TENANT.name)
    refused = f"sum {by} (increase({ask.series(LINES_DISCARDED)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Loki refused log lines and whoever sent them will not try again: most refusals are final. The label "
            "`reason` of the alert says why."
        ),
        impact="These lines are lost: they will be missing when somebody searches for them.",
        diagnosis=(
            Step(
                "See how many lines are refused for which reason, beside how many arrive.",
                (refused, f"sum (increase({ask.series(LINES_RECEIVED)}[{window}]))"),
                (
                    (
                        "rate_limited or per_stream_rate_limit",
                        "somebody logs far more than usual; go on with step 2.",
                    ),
                    (
                        "line_too_long or structured_metadata_too_large",
                        "one service writes huge lines; step 2, then Mitigation 2.",
                    ),
                    (
                        "greater_than_max_sample_age",
                        "a collector delivers old lines after an outage: Mitigation 3.",
                    ),
                    ("stream_limit", "a label with too many values became part of the stream: Mitigation 2."),
                ),
            ),
            Step(
                "Find who sends most.",
                outcomes=(
                    (
                        "one service stands out",
                        "open its dashboard: an error loop logs a line a turn; tell its owner.",
                    ),
                    ("all have grown", "traffic has grown: Mitigation 1."),
                ),
                logs=('topk(5, sum by (service) (rate({service=~".+"}[5m])))',),
            ),
            read_log(
                ask,
                "discard|exceeded|too long",
                ("it names the stream", "its labels tell the service: Mitigation 2 there."),
                ("it names only the limit", "go by step 2."),
            ),
        ),
        mitigation=(
            Action(
                "Raise the limit that was hit in `limits_config`, in small steps, and reload.",
                "lines are taken again; memory and disk grow with them.",
                "5 minutes.",
            ),
            Action(
                "Have the service that floods log less: raise its level with `obs`'s endpoint for the log level.",
                "its lines fall to what is needed; the limit holds for the others.",
                "1 minute.",
            ),
            Action(
                "Raise `reject_old_samples_max_age` until the collectors have delivered what they hold.",
                "late lines are taken.",
                "5 minutes, and back afterwards.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="audit or security events are among the lost lines",
        ),
        verification=(
            Step(
                f"Nothing is refused for {spell(window)}.",
                (refused,),
                (
                    ("all values are 0", "it is over."),
                    ("a reason remains", "go on with Diagnosis 1 on that reason."),
                ),
            ),
        ),
    )
