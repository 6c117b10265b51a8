"""Alerts on Alertmanager itself."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.engines.alertmanager import (
    INTEGRATION,
    NOTIFICATIONS,
    NOTIFICATIONS_FAILED,
    RELOAD_SUCCESSFUL,
)
from obs.generate.derive.capabilities.prometheus.alerts import reload_draft
from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.forms.share import Share, share_draft
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration

NOTIFY_FAILING = Defaults("page", Duration.parse("5m"), Decimal("0.01"), "ratio", Duration.parse("15m"))
RELOAD_FAILED = Defaults("ticket", Duration.parse("10m"))

#: A page that does not arrive is one too many.
MIN_FAILED = 1


def notify_failing(kit: Kit) -> Draft:
    """Return AlertmanagerNotifyFailing: alerts are known and nobody is told."""
    share = Share(NOTIFICATIONS, bad=NOTIFICATIONS_FAILED, apart={INTEGRATION.name: "webhook"})
    return share_draft(
        kit, "AlertmanagerNotifyFailing", share, what="notifications", fail="fail", floor=MIN_FAILED
    )


def config_reload_failed(kit: Kit) -> Draft:
    """Return AlertmanagerConfigReloadFailed: routes and receivers are not those that were deployed."""
    return reload_draft(
        kit,
        "AlertmanagerConfigReloadFailed",
        RELOAD_SUCCESSFUL.id,
        "still routes by the one before; new routes and receivers are not in force",
    )
