"""Business: orders and payments."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

PROVIDER = Label("provider", "Who carries the payment out.", bounded=False)
RESULT = Label("result", "How the payment ended.", ("success", "failure"))

ORDERS_CREATED = Counter(
    id="orders.created",
    metric="orders_created_total",
    help="Orders taken.",
    unit="{order}",
)
PAYMENTS = Counter(
    id="payments",
    metric="payments_total",
    help="Payments that have ended.",
    unit="{payment}",
    labels=(PROVIDER, RESULT),
)
OLDEST_PENDING = Gauge(
    id="payments.oldest_pending",
    metric="payments_oldest_pending_age_seconds",
    help="Age of the oldest payment whose result is not known; 0 without one.",
    unit="s",
    labels=(PROVIDER,),
    across="max",
)

SIGNALS = (ORDERS_CREATED, PAYMENTS, OLDEST_PENDING)
