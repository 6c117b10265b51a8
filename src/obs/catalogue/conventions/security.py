"""Security: what an attack looks like in numbers."""

from __future__ import annotations

from obs.catalogue.http import ROUTE
from obs.catalogue.signal import Counter, Label

REASON = Label("reason", "Why it failed, such as password or expired.", bounded=False)
PROVIDER = Label("provider", "Who seems to have sent it.", bounded=False)

AUTH_FAILURES = Counter(
    id="auth.failures",
    metric="auth_failures_total",
    help="Attempts to sign in that failed.",
    unit="{attempt}",
    labels=(REASON,),
)
TOKEN_REPLAYS = Counter(
    id="auth.token.replays",
    metric="auth_token_replays_total",
    help="Tokens that were used again after they had been replaced or revoked.",
    unit="{token}",
)
RATE_LIMITED = Counter(
    id="rate_limit.rejections",
    metric="rate_limit_rejections_total",
    help="Requests turned away because somebody sent too many.",
    unit="{request}",
    labels=(ROUTE,),
)
WEBHOOK_FORGERIES = Counter(
    id="webhook.signature.failures",
    metric="webhook_signature_failures_total",
    help="Webhooks whose signature was wrong.",
    unit="{webhook}",
    labels=(PROVIDER,),
)

SIGNALS = (AUTH_FAILURES, TOKEN_REPLAYS, RATE_LIMITED, WEBHOOK_FORGERIES)
