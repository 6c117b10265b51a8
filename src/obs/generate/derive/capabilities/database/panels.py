"""Panels of databases: what is asked of them, how it ends, and the pools of connections."""

from __future__ import annotations

from obs.catalogue.db import (
    CONNECTION_TIMEOUTS,
    CONNECTIONS_IN_USE,
    CONNECTIONS_MAX,
    CONNECTIONS_WAITING,
    ERROR_TYPE,
    OPERATION,
    OPERATION_DURATION,
    POOL,
    SLOW_QUERIES,
    SYSTEM,
)
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Panel, Query, Row


def row(ask: Queries) -> Row:
    """Return what the service asks of its databases."""
    system = ask.label(OPERATION_DURATION, SYSTEM.name)
    operation = ask.label(OPERATION_DURATION, OPERATION.name)
    slow, pool = ask.label(SLOW_QUERIES, SYSTEM.name), ask.label(CONNECTIONS_IN_USE, POOL.name)
    waiting, refused = ask.label(CONNECTIONS_WAITING, POOL.name), ask.label(CONNECTION_TIMEOUTS, POOL.name)
    done = f"rate({ask.series(OPERATION_DURATION, part='_count')}[{RATE}])"
    failed = f"rate({ask.series(OPERATION_DURATION, (ERROR_TYPE.name, '!=', ''), part='_count')}[{RATE}])"
    used, most = ask.series(CONNECTIONS_IN_USE), ask.series(CONNECTIONS_MAX)
    by = f"by (instance, {pool})"
    return Row(
        "Databases",
        (
            series("db-operations", "Operations", "Operations a second, by product and kind.", "ops",
                   f"sum by ({system}, {operation}) ({done})", legend(system, operation)),
            series("db-errors", "Error ratio of operations", "Share of the operations of each product that failed.",
                   "percentunit",
                   f"(sum by ({system}) ({failed}) or 0 * sum by ({system}) ({done})) / sum by ({system}) ({done})",
                   legend(system)),
            Panel(
                key="db-latency",
                title="p95 of operations",
                description="What one operation in twenty of each product exceeds, as the client sees it.",
                unit="s",
                kind="timeseries",
                queries=(
                    Query(ask.quantile("0.95", OPERATION_DURATION, RATE, system), legend(system), exemplar=True),
                ),
            ),
            series("db-slow", "Slow operations", "Operations a second beyond the setting slow_query, by product.", "ops",
                   f"sum by ({slow}) (rate({ask.series(SLOW_QUERIES)}[{RATE}]))", legend(slow)),
            series("db-pool", "Connections lent out", "Share of each pool's connections that is lent out.",
                   "percentunit", f"max {by} ({used}) / max {by} ({most})", legend("instance", pool)),
            series("db-pool-waiting", "Callers that wait", "Callers that wait for a connection of each pool.", "short",
                   f"max by (instance, {waiting}) ({ask.series(CONNECTIONS_WAITING)})", legend("instance", waiting)),
            series("db-pool-timeouts", "Callers without a connection",
                   "Callers a second that gave up waiting for a connection of each pool.", "ops",
                   f"sum by ({refused}) (rate({ask.series(CONNECTION_TIMEOUTS)}[{RATE}]))", legend(refused)),
        ),
    )  # fmt: skip
