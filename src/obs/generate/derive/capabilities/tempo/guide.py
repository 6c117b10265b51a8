"""Runbooks of the alerts on Tempo itself."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.engines.tempo import REASON, SPANS_DISCARDED, SPANS_RECEIVED, TENANT
from obs.generate.derive.guidance.engine import read_log, restarted
from obs.generate.derive.guidance.investigation import escalate
from obs.generate.derive.guidance.queries import Queries, look_back, spell
from obs.generate.model import Action, Alert, Runbook, Step


def spans_discarded(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """TempoSpansDiscarded: spans arrived and were refused for good."""
    window = look_back(alerts[0])
    by = ask.by(SPANS_DISCARDED, REASON.name, TENANT.name)
    refused = f"sum {by} (increase({ask.series(SPANS_DISCARDED)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Tempo refused spans that had arrived, and they are gone: a trace that lost some shows holes or is missing. "
            "The label `reason` of the alert says why."
        ),
        impact="Traces of the time are incomplete. Metrics and logs are not touched, and no alert depends on traces.",
        diagnosis=(
            Step(
                "See how many spans are refused for which reason, beside how many arrive.",
                (refused, f"sum (increase({ask.series(SPANS_RECEIVED)}[{window}]))"),
                (
                    ("rate_limited", "more arrives than the limit allows; go on with step 2."),
                    ("trace_too_large", "a loop or a batch writes one endless trace; go on with step 2."),
                    ("live_traces_exceeded", "too many traces are open at once: Mitigation 1."),
                    ("another reason", "a limit or the form of the spans; go on with step 3."),
                ),
            ),
            Step(
                "Find which service writes the most spans: in Grafana, Explore, Tempo, ask "
                "`{} | rate() by (resource.service.name)`.",
                outcomes=(
                    (
                        "one service stands out",
                        "its newest release traces inside a loop: tell its owner; Mitigation 2.",
                    ),
                    ("all have grown", "traffic has grown: Mitigation 1."),
                ),
            ),
            read_log(
                ask,
                "discard|limit|too large",
                ("it names a trace id", "open that trace: the repeated span is the loop."),
                ("it names a limit", "Mitigation 1 on that limit."),
            ),
            restarted(ask, 3),
        ),
        mitigation=(
            Action(
                "Raise the limit that was hit in `overrides.defaults.ingestion` or `.global`, in small steps; restart.",
                "spans are taken again; memory and disk grow with them.",
                "10 minutes.",
            ),
            Action(
                "Lower the sampling ratio of the service that floods, or roll its release back.",
                "its spans fall to their usual number; its errors are still traced.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="an incident is going on whose traces are needed",
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
