"""Websockets, server side. OpenTelemetry has no conventions for them yet; routes are those of HTTP."""

from __future__ import annotations

from obs.catalogue.http import ROUTE
from obs.catalogue.signal import Counter, Gauge, Label

#: Refused: never accepted. Failed: the application raised, or said that it did (close codes 1011 to 1014).
RESULTS = ("closed", "refused", "failed")
RESULT = Label("result", "How the connection ended.", RESULTS)

CONNECTIONS = Counter(
    id="websocket.server.connections",
    metric="websocket_server_connections_total",
    help="Websocket connections that have ended.",
    unit="{connection}",
    labels=(ROUTE, RESULT),
)
ACTIVE = Gauge(
    id="websocket.server.active",
    metric="websocket_server_active_connections",
    help="Websocket connections that are open.",
    unit="{connection}",
)

SIGNALS = (CONNECTIONS, ACTIVE)
