"""Alertmanager: what it holds, what it sends, what it cannot deliver."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

VERSION = Label("version", "Version of Alertmanager.")
INTEGRATION = Label("integration", "Kind of receiver, such as pagerduty or slack.")
ALERT_STATE = Label("state", "What the alert is doing.")

NOTIFICATIONS = Counter(
    id="alertmanager.notifications",
    metric="alertmanager_notifications_total",
    help="Notifications that were to be sent.",
    unit="{notification}",
    labels=(INTEGRATION,),
    origin="engine",
)
NOTIFICATIONS_FAILED = Counter(
    id="alertmanager.notifications.failed",
    metric="alertmanager_notifications_failed_total",
    help="Notifications that could not be delivered.",
    unit="{notification}",
    labels=(INTEGRATION,),
    origin="engine",
)
RELOAD_SUCCESSFUL = Gauge(
    id="alertmanager.config.reloaded",
    metric="alertmanager_config_last_reload_successful",
    help="1 when the last reload of the configuration worked, else 0.",
    unit="{state}",
    origin="engine",
)
ALERTS = Gauge(
    id="alertmanager.alerts",
    metric="alertmanager_alerts",
    help="Alerts held, by what they are doing.",
    unit="{alert}",
    labels=(ALERT_STATE,),
    origin="engine",
)

BUILD = Gauge(
    id="alertmanager.build",
    metric="alertmanager_build_info",
    help="Always 1; its label tells which version is running.",
    labels=(VERSION,),
    origin="engine",
)

SIGNALS = (NOTIFICATIONS, NOTIFICATIONS_FAILED, RELOAD_SUCCESSFUL, ALERTS, BUILD)
