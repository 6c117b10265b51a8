"""Security: alerts on failed sign-ins, stolen tokens, floods and forged webhooks."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.security import alerts, guide, panels

CAPABILITY = Capability(
    name="security",
    category="security",
    alerts=(
        Entry(
            "AuthFailureSpike",
            alerts.AUTH_SPIKE,
            alerts.auth_failure_spike,
            "security-auth",
            guide.auth_failure_spike,
            slow=True,
        ),
        Entry(
            "TokenReplayDetected", alerts.REPLAYS, alerts.token_replay, "security-replays", guide.token_replay
        ),
        Entry(
            "RateLimitHitsHigh",
            alerts.LIMIT_HITS,
            alerts.rate_limit_hits,
            "security-limits",
            guide.rate_limit_hits,
        ),
        Entry(
            "WebhookSignatureFailures",
            alerts.FORGERIES,
            alerts.webhook_forgeries,
            "security-webhooks",
            guide.webhook_forgeries,
        ),
    ),
    row=panels.row,
)
