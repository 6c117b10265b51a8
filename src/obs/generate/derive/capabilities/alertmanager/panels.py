"""Panels of Alertmanager itself."""

from __future__ import annotations

from obs.catalogue.engines.alertmanager import (
    ALERT_STATE,
    ALERTS,
    INTEGRATION,
    NOTIFICATIONS,
    NOTIFICATIONS_FAILED,
    RELOAD_SUCCESSFUL,
)
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """What Alertmanager holds and sends."""
    kind, state = ask.label(NOTIFICATIONS, INTEGRATION.name), ask.label(ALERTS, ALERT_STATE.name)
    sent = f"sum by ({kind}) (rate({ask.series(NOTIFICATIONS)}[{RATE}]))"
    failed = f"sum by ({kind}) (rate({ask.series(NOTIFICATIONS_FAILED)}[{RATE}]))"
    return Row(
        "Alertmanager",
        (
            series("alertmanager-sent", "Notifications", "Notifications of each kind of receiver, in each minute.",
                   "short", f"60 * {sent}", legend(kind)),
            series("alertmanager-failures", "Failed notifications",
                   "Share of the notifications of each kind of receiver that were not delivered.", "percentunit",
                   f"({failed} or 0 * {sent}) / ({sent} > 0)", legend(kind)),
            series("alertmanager-alerts", "Alerts held", "Alerts by what they are doing: active or suppressed.", "short",
                   f"max by ({state}) ({ask.series(ALERTS)})", legend(state)),
            series("alertmanager-reload", "Configuration in force", "1 while the last reload of the configuration worked.",
                   "short", f"min by (instance) ({ask.series(RELOAD_SUCCESSFUL)})", "{{instance}}"),
        ),
    )  # fmt: skip
