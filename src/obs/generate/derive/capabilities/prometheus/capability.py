"""Prometheus: alerts on its rules, its configuration and its way to Alertmanager."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.prometheus import alerts, guide, panels

CAPABILITY = Capability(
    name="prometheus",
    category="telemetry",
    alerts=(
        Entry(
            "PrometheusRuleFailures",
            alerts.RULES_FAIL,
            alerts.rule_failures,
            "prometheus-rule-failures",
            guide.rule_failures,
        ),
        Entry(
            "PrometheusRuleGroupSlow",
            alerts.GROUP_SLOW,
            alerts.rule_group_slow,
            "prometheus-rule-duration",
            guide.rule_group_slow,
        ),
        Entry(
            "PrometheusConfigReloadFailed",
            alerts.RELOAD_FAILED,
            alerts.config_reload_failed,
            "prometheus-reload",
            guide.config_reload_failed,
        ),
        Entry(
            "PrometheusNoAlertmanager",
            alerts.NO_ALERTMANAGER,
            alerts.no_alertmanager,
            "prometheus-alertmanagers",
            guide.no_alertmanager,
        ),
        Entry(
            "PrometheusAlertsDropped",
            alerts.ALERTS_DROPPED,
            alerts.alerts_dropped,
            "prometheus-notifications",
            guide.alerts_dropped,
        ),
    ),
    row=panels.row,
)
