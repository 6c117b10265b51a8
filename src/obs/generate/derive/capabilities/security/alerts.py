"""Alerts on what an attack looks like in numbers."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.conventions.security import (
    AUTH_FAILURES,
    PROVIDER,
    RATE_LIMITED,
    TOKEN_REPLAYS,
    WEBHOOK_FORGERIES,
)
from obs.catalogue.http import ROUTE
from obs.generate.derive.drafts import Draft, Kit, words
from obs.generate.derive.expressions import total
from obs.generate.derive.forms.events import Event, event_draft
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.drop import HOUR
from obs.generate.derive.stories.rise import rise_cases
from obs.generate.model import Duration, Threshold

AUTH_SPIKE = Defaults("ticket", Duration.parse("10m"), Decimal(5), window=Duration.parse("10m"))
REPLAYS = Defaults("page", Duration.parse("1m"), Decimal(1), window=Duration.parse("10m"))
LIMIT_HITS = Defaults("ticket", Duration.parse("5m"), Decimal(6000), window=Duration.parse("10m"))
FORGERIES = Defaults("page", Duration.parse("1m"), Decimal(5), window=Duration.parse("15m"))

_DAY = Duration.parse("1d")
#: Fewer failed attempts a second than this are forgotten passwords.
LEAST_FAILURES = Decimal(1)


def auth_failure_spike(kit: Kit) -> Draft:
    """Return AuthFailureSpike: many times yesterday's failed attempts to sign in.

    A service that was not there yesterday, or had no failure then, is judged by `LEAST_FAILURES` alone.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(AUTH_FAILURES.id)
    failures = names.selector(metric)
    now = total(f"rate({failures}[{window}])")
    past = total(f"rate({failures}[{HOUR}] offset {_DAY})")
    times = words(line, "")
    return Draft(
        name="AuthFailureSpike",
        expr=f"({now} > {LEAST_FAILURES}) > {line:f} * ({past} or 0 * {now})",
        signals=(AUTH_FAILURES.id,),
        threshold=Threshold(
            line, "1", ">", f"more than {times} times the failed attempts of the same hour yesterday"
        ),
        summary="{{ $labels.service }}: {{ $value | humanize }} failed attempts to sign in a second",
        description=(
            "{{ $value | humanize }} attempts a second to sign in to {{ $labels.service }} ({{ $labels.environment }}) "
            f"failed in the last {window}; the alert watches for more than {times} times the figure of the same hour "
            f"yesterday, and more than {LEAST_FAILURES} a second."
        ),
        cases=rise_cases(kit, metric, line, LEAST_FAILURES, _DAY),
        window=_DAY + HOUR,
    )


def token_replay(kit: Kit) -> Draft:
    """Return TokenReplayDetected: a token that had been replaced or revoked was used; one is enough."""
    return event_draft(kit, "TokenReplayDetected", [Event(TOKEN_REPLAYS)], what="tokens used again")


def rate_limit_hits(kit: Kit) -> Draft:
    """Return RateLimitHitsHigh: somebody keeps sending more than is allowed to one route."""
    event = Event(RATE_LIMITED, apart={ROUTE.name: "/login"})
    return event_draft(kit, "RateLimitHitsHigh", [event], what="requests over the limit")


def webhook_forgeries(kit: Kit) -> Draft:
    """Return WebhookSignatureFailures: webhooks arrive that their provider has not signed."""
    event = Event(WEBHOOK_FORGERIES, apart={PROVIDER.name: "bank"})
    return event_draft(kit, "WebhookSignatureFailures", [event], what="webhooks with a wrong signature")
