"""Databases and their connection pools, client side, after OpenTelemetry's database conventions."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Histogram, Label

SYSTEM = Label("db.system.name", "Database product, such as postgresql or redis.", classic="system")
OPERATION = Label(
    "db.operation.name", "SQL verb or command, OTHER when unknown.", bounded=False, classic="operation"
)
COLLECTION = Label(
    "db.collection.name", "First table of the statement, else empty.", bounded=False, classic="table"
)
ERROR_TYPE = Label("error.type", "Exception class of a failed operation, else empty.", classic="error")
POOL = Label(
    "db.client.connection.pool.name", "Server and database of the pool.", bounded=False, classic="pool"
)

OPERATION_DURATION = Histogram(
    id="db.client.duration",
    metric="db_client_operation_duration_seconds",
    classic="db_query_duration_seconds",
    help="Duration of database operations as the client sees them.",
    labels=(SYSTEM, OPERATION, COLLECTION, ERROR_TYPE),
    stability="stable",
)
SLOW_QUERIES = Counter(
    id="db.client.slow_queries",
    metric="db_client_slow_queries_total",
    classic="db_slow_queries_total",
    help="Database operations that took longer than the setting slow_query.",
    unit="{query}",
    labels=(SYSTEM, OPERATION, COLLECTION),
)
CONNECTIONS_IN_USE = Gauge(
    id="db.connections.used",
    # The convention's own name ends in _count, which is what a histogram calls its total.
    metric="db_client_connections_used",
    classic="db_connections_in_use",
    help="Connections of the pool that are lent out.",
    unit="{connection}",
    labels=(POOL,),
)
CONNECTIONS_MAX = Gauge(
    id="db.connections.max",
    metric="db_client_connection_max",
    classic="db_connections_max",
    help="Most connections that the pool opens, overflow included.",
    unit="{connection}",
    labels=(POOL,),
)
CONNECTIONS_WAITING = Gauge(
    id="db.connections.waiting",
    metric="db_client_connection_pending_requests",
    classic="db_connections_waiting",
    help="Callers that are waiting for a connection of the pool.",
    unit="{request}",
    labels=(POOL,),
)
CONNECTION_TIMEOUTS = Counter(
    id="db.connections.timeouts",
    metric="db_client_connection_timeouts_total",
    classic="db_connection_timeouts_total",
    help="Callers that gave up waiting for a connection of the pool.",
    unit="{timeout}",
    labels=(POOL,),
)
CONNECTIONS_OPENED = Counter(
    id="db.connections.opened",
    metric="db_client_connections_opened_total",
    classic="db_connections_opened_total",
    help="Connections that the pool has opened.",
    unit="{connection}",
    labels=(POOL,),
)

SIGNALS = (
    OPERATION_DURATION,
    SLOW_QUERIES,
    CONNECTIONS_IN_USE,
    CONNECTIONS_MAX,
    CONNECTIONS_WAITING,
    CONNECTION_TIMEOUTS,
    CONNECTIONS_OPENED,
)
