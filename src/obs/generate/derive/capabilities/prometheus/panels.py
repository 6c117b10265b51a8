"""Panels of Prometheus itself."""

from __future__ import annotations

from obs.catalogue.engines.prometheus import (
    ALERTMANAGERS,
    HEAD_SERIES,
    NOTIFICATIONS_DROPPED,
    NOTIFICATIONS_FAILED,
    NOTIFICATIONS_SENT,
    RELOAD_SUCCESSFUL,
    RULE_FAILURES,
    RULE_GROUP,
    RULE_GROUP_DURATION,
    RULE_GROUP_INTERVAL,
)
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Panel, Query, Row


def row(ask: Queries) -> Row:
    """What Prometheus does with rules, configuration and alerts."""
    group = ask.label(RULE_GROUP_DURATION, RULE_GROUP.name)
    failures = ask.label(RULE_FAILURES, RULE_GROUP.name)
    return Row(
        "Prometheus",
        (
            series("prometheus-rule-failures", "Failed rules", "Evaluations of rules that failed, in each minute.",
                   "short", f"60 * sum by ({failures}) (rate({ask.series(RULE_FAILURES)}[{RATE}]))", legend(failures)),
            series("prometheus-rule-duration", "Time of rule groups",
                   "How long each group takes, as a share of the time until its next turn.", "percentunit",
                   f"max by ({group}) ({ask.series(RULE_GROUP_DURATION)}) "
                   f"/ max by ({group}) ({ask.series(RULE_GROUP_INTERVAL)})", legend(group)),
            series("prometheus-reload", "Configuration in force", "1 while the last reload of the configuration worked.",
                   "short", f"min by (instance) ({ask.series(RELOAD_SUCCESSFUL)})", "{{instance}}"),
            series("prometheus-alertmanagers", "Alertmanagers", "Alertmanagers that each instance knows.", "short",
                   f"min by (instance) ({ask.series(ALERTMANAGERS)})", "{{instance}}"),
            Panel(
                key="prometheus-notifications",
                title="Alerts on their way",
                description="Alerts sent to an Alertmanager, refused there, and given up, in each minute.",
                unit="short",
                kind="timeseries",
                queries=(
                    Query(f"60 * sum (rate({ask.series(NOTIFICATIONS_SENT)}[{RATE}]))", "sent"),
                    Query(f"60 * sum (rate({ask.series(NOTIFICATIONS_FAILED)}[{RATE}]))", "failed"),
                    Query(f"60 * sum (rate({ask.series(NOTIFICATIONS_DROPPED)}[{RATE}]))", "dropped"),
                ),
            ),
            series("prometheus-series", "Series in memory", "Series that each instance holds in memory.", "short",
                   f"max by (instance) ({ask.series(HEAD_SERIES)})", "{{instance}}"),
        ),
    )  # fmt: skip
