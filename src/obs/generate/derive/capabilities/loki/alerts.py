"""Alerts on Loki itself."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.engines.loki import LINES_DISCARDED, REASON, REQUESTS, ROUTE, STATUS_CODE
from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.forms.events import Event, event_draft
from obs.generate.derive.forms.share import Outcome, Share, share_draft
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration

REQUEST_ERRORS = Defaults("page", Duration.parse("10m"), Decimal("0.1"), "ratio", Duration.parse("10m"))
LINES_REFUSED = Defaults("ticket", Duration.parse("5m"), Decimal(1), window=Duration.parse("15m"))

#: Loki asks itself now and then; a single failed request is no outage.
MIN_FAILED = 3


def request_errors(kit: Kit) -> Draft:
    """Return LokiRequestErrors: logs cannot be written or read."""
    share = Share(
        REQUESTS,
        outcome=Outcome(STATUS_CODE.name, "5xx", "500", "200"),
        apart={ROUTE.name: "loki_api_v1_push"},
    )
    return share_draft(kit, "LokiRequestErrors", share, what="requests", fail="fail", floor=MIN_FAILED)


def lines_discarded(kit: Kit) -> Draft:
    """Return LokiLinesDiscarded: lines arrived and were refused for good."""
    event = Event(LINES_DISCARDED, apart={REASON.name: "rate_limited"})
    return event_draft(kit, "LokiLinesDiscarded", [event], what="log lines discarded")
