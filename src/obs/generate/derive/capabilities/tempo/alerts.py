"""Alerts on Tempo itself."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.engines.tempo import REASON, SPANS_DISCARDED
from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.forms.events import Event, event_draft
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration

SPANS_REFUSED = Defaults("ticket", Duration.parse("5m"), Decimal(1), window=Duration.parse("15m"))


def spans_discarded(kit: Kit) -> Draft:
    """Return TempoSpansDiscarded: spans arrived and were refused for good."""
    event = Event(SPANS_DISCARDED, apart={REASON.name: "rate_limited"})
    return event_draft(kit, "TempoSpansDiscarded", [event], what="spans discarded")
