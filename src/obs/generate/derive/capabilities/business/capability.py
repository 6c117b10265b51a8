"""Business: alerts on orders that do not come and payments that fail."""

from __future__ import annotations

from obs.generate.derive.capabilities.business import alerts, guide, panels
from obs.generate.derive.capabilities.capability import Capability, Entry

CAPABILITY = Capability(
    name="business",
    category="business",
    alerts=(
        Entry(
            "OrdersDropped",
            alerts.ORDERS_DROPPED,
            alerts.orders_dropped,
            "business-orders",
            guide.orders_dropped,
            slow=True,
        ),
        Entry(
            "PaymentFailureRatioHigh",
            alerts.PAYMENTS_FAIL,
            alerts.payment_failures,
            "business-payments",
            guide.payment_failures,
        ),
        Entry(
            "PaymentsPendingTooLong",
            alerts.PENDING_TOO_LONG,
            alerts.pending_too_long,
            "business-pending",
            guide.pending_too_long,
        ),
    ),
    row=panels.row,
)
