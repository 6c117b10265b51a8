"""Certificates: alerts on those that are about to expire."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.tls import alerts, guide, panels

CAPABILITY = Capability(
    name="tls",
    category="tls",
    alerts=(
        Entry(
            "CertificateExpiresSoon", alerts.EXPIRES_SOON, alerts.expires_soon, "tls-expiry", guide.expires
        ),
        Entry(
            "CertificateExpiresVerySoon",
            alerts.EXPIRES_VERY_SOON,
            alerts.expires_very_soon,
            "tls-expiry",
            guide.expires,
        ),
    ),
    row=panels.row,
)
