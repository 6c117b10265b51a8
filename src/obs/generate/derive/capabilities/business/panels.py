"""Panels of orders and payments."""

from __future__ import annotations

from obs.catalogue.conventions.business import OLDEST_PENDING, ORDERS_CREATED, PAYMENTS, PROVIDER, RESULT
from obs.generate.derive.graphs import RATE, legend
from obs.generate.derive.graphs import series as graph
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Panel, Query, Row


def row(ask: Queries) -> Row:
    """What customers do."""
    orders, provider = ask.series(ORDERS_CREATED), ask.label(PAYMENTS, PROVIDER.name)
    every = f"sum by ({provider}) (rate({ask.series(PAYMENTS)}[{RATE}]))"
    failed = f"sum by ({provider}) (rate({ask.series(PAYMENTS, (RESULT.name, '=', 'failure'))}[{RATE}]))"
    pending = ask.label(OLDEST_PENDING, PROVIDER.name)
    return Row(
        "Business",
        (
            Panel(
                key="business-orders",
                title="Orders",
                description="Orders in each minute, now and at the same time last week.",
                unit="short",
                kind="timeseries",
                queries=(
                    Query(f"60 * sum (rate({orders}[{RATE}]))", "orders"),
                    Query(f"60 * sum (rate({orders}[{RATE}] offset 1w))", "last week"),
                ),
            ),
            graph("business-payments", "Failed payments", "Share of each provider's payments that failed.",
                  "percentunit", f"({failed} or 0 * {every}) / ({every} > 0)", legend(provider)),
            graph("business-pending", "Oldest pending payment", "Age of the oldest payment without a result.", "s",
                  f"max by ({pending}) ({ask.series(OLDEST_PENDING)})", legend(pending)),
        ),
    )  # fmt: skip
