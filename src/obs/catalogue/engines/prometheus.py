"""Prometheus: its rules, its configuration, its way to Alertmanager."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

VERSION = Label("version", "Version of Prometheus.")
RULE_GROUP = Label("rule_group", "File and name of the group.", bounded=False)
ALERTMANAGER = Label("alertmanager", "Address of the Alertmanager.", bounded=False)

RULE_FAILURES = Counter(
    id="prometheus.rules.failures",
    metric="prometheus_rule_evaluation_failures_total",
    help="Evaluations of a rule that ended with an error.",
    unit="{evaluation}",
    labels=(RULE_GROUP,),
    origin="engine",
)
RULE_GROUP_DURATION = Gauge(
    id="prometheus.rules.duration",
    metric="prometheus_rule_group_last_duration_seconds",
    help="How long the last evaluation of the group took.",
    unit="s",
    labels=(RULE_GROUP,),
    origin="engine",
)
RULE_GROUP_INTERVAL = Gauge(
    id="prometheus.rules.interval",
    metric="prometheus_rule_group_interval_seconds",
    help="How often the group is to be evaluated.",
    unit="s",
    labels=(RULE_GROUP,),
    origin="engine",
)
RULE_GROUP_MISSED = Counter(
    id="prometheus.rules.missed",
    metric="prometheus_rule_group_iterations_missed_total",
    help="Evaluations of the group that were left out because the one before had not ended.",
    unit="{evaluation}",
    labels=(RULE_GROUP,),
    origin="engine",
)
RELOAD_SUCCESSFUL = Gauge(
    id="prometheus.config.reloaded",
    metric="prometheus_config_last_reload_successful",
    help="1 when the last reload of the configuration worked, else 0.",
    unit="{state}",
    origin="engine",
)
RELOADED_AT = Gauge(
    id="prometheus.config.reloaded_at",
    metric="prometheus_config_last_reload_success_timestamp_seconds",
    help="Last reload that worked, in seconds since the Unix epoch.",
    unit="s",
    origin="engine",
)
ALERTMANAGERS = Gauge(
    id="prometheus.alertmanagers",
    metric="prometheus_notifications_alertmanagers_discovered",
    help="Alertmanagers that are known and in use.",
    unit="{alertmanager}",
    origin="engine",
)
NOTIFICATIONS_SENT = Counter(
    id="prometheus.notifications.sent",
    metric="prometheus_notifications_sent_total",
    help="Alerts sent to an Alertmanager.",
    unit="{alert}",
    labels=(ALERTMANAGER,),
    origin="engine",
)
NOTIFICATIONS_FAILED = Counter(
    id="prometheus.notifications.failed",
    metric="prometheus_notifications_errors_total",
    help="Alerts that could not be sent to an Alertmanager.",
    unit="{alert}",
    labels=(ALERTMANAGER,),
    origin="engine",
)
NOTIFICATIONS_DROPPED = Counter(
    id="prometheus.notifications.dropped",
    metric="prometheus_notifications_dropped_total",
    help="Alerts given up after errors, or because too many were waiting.",
    unit="{alert}",
    origin="engine",
)
HEAD_SERIES = Gauge(
    id="prometheus.series",
    metric="prometheus_tsdb_head_series",
    help="Series in memory.",
    unit="{series}",
    origin="engine",
)

BUILD = Gauge(
    id="prometheus.build",
    metric="prometheus_build_info",
    help="Always 1; its label tells which version is running.",
    labels=(VERSION,),
    origin="engine",
)

SIGNALS = (
    RULE_FAILURES,
    RULE_GROUP_DURATION,
    RULE_GROUP_INTERVAL,
    RULE_GROUP_MISSED,
    RELOAD_SUCCESSFUL,
    RELOADED_AT,
    ALERTMANAGERS,
    NOTIFICATIONS_SENT,
    NOTIFICATIONS_FAILED,
    NOTIFICATIONS_DROPPED,
    HEAD_SERIES,
    BUILD,
)
