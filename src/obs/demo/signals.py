"""The shop's own signals: what its business does, beside what obs measures by itself.

`obs catalogue export --module obs.demo.signals` turns them into the contract that the specs of
the shop are checked against.
"""

from __future__ import annotations

from obs.catalogue import Counter, Label

ORDER_RESULT = Label("result", "How the order ended.", ("paid", "declined", "failed"))
CHARGE_RESULT = Label("result", "How the charge ended.", ("accepted", "declined"))

ORDERS = Counter(
    id="shop.orders",
    metric="shop_orders_total",
    help="Orders taken at the checkout.",
    unit="{order}",
    labels=(ORDER_RESULT,),
)
REVENUE = Counter(
    id="shop.revenue",
    metric="shop_revenue_cents_total",
    help="Revenue of paid orders, in cents.",
    unit="{cent}",
)
CHARGES = Counter(
    id="shop.charges",
    metric="shop_charges_total",
    help="Charges that payments has decided on.",
    unit="{charge}",
    labels=(CHARGE_RESULT,),
)
SETTLED = Counter(
    id="shop.settled",
    metric="shop_settled_cents_total",
    help="Money settled with the bank by the worker, in cents.",
    unit="{cent}",
)

SIGNALS = (ORDERS, REVENUE, CHARGES, SETTLED)
