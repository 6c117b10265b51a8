"""Panels of security."""

from __future__ import annotations

from obs.catalogue.conventions.security import (
    AUTH_FAILURES,
    PROVIDER,
    RATE_LIMITED,
    REASON,
    TOKEN_REPLAYS,
    WEBHOOK_FORGERIES,
)
from obs.catalogue.http import ROUTE
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """What an attack looks like in numbers."""
    reason, route = ask.label(AUTH_FAILURES, REASON.name), ask.label(RATE_LIMITED, ROUTE.name)
    provider = ask.label(WEBHOOK_FORGERIES, PROVIDER.name)
    return Row(
        "Security",
        (
            series("security-auth", "Failed attempts to sign in", "Attempts a second that failed, by reason.", "short",
                   f"sum by ({reason}) (rate({ask.series(AUTH_FAILURES)}[{RATE}]))", legend(reason)),
            series("security-replays", "Tokens used again", "Replaced or revoked tokens that were used, in each minute.",
                   "short", f"60 * sum (rate({ask.series(TOKEN_REPLAYS)}[{RATE}]))", "tokens"),
            series("security-limits", "Requests over the limit", "Requests a second turned away, by route.", "reqps",
                   f"sum by ({route}) (rate({ask.series(RATE_LIMITED)}[{RATE}]))", legend(route)),
            series("security-webhooks", "Wrong signatures", "Webhooks with a wrong signature, in each minute.", "short",
                   f"60 * sum by ({provider}) (rate({ask.series(WEBHOOK_FORGERIES)}[{RATE}]))", legend(provider)),
        ),
    )  # fmt: skip
