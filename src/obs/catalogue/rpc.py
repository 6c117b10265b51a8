"""Remote procedure calls, server and client side, after OpenTelemetry's RPC conventions.

The classic names are those of the Prometheus middleware that gRPC services have used for years.
"""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Histogram, Label

#: The status codes of gRPC, by name.
CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
    "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip

SYSTEM = Label("rpc.system.name", "Always grpc.", ("grpc",))
METHOD = Label(
    "rpc.method",
    "Service and method such as shop.Orders/Place, 'unmatched' when the server has no such method.",
    classic="grpc_method",
)
CALLED = Label("rpc.method", "Service and method such as shop.Orders/Place.", classic="grpc_method")
STATUS = Label("rpc.response.status_code", "Status by name, such as OK.", CODES, classic="grpc_code")
SERVER_ADDRESS = Label("server.address", "Host name of the called server.", bounded=False)

SERVER_DURATION = Histogram(
    id="rpc.server.duration",
    metric="rpc_server_call_duration_seconds",
    classic="grpc_server_handling_seconds",
    help="Duration of calls that the server has answered, streams from first to last message.",
    labels=(SYSTEM, METHOD, STATUS),
    stability="candidate",
)
SERVER_CALLS = Counter(
    id="rpc.server.calls",
    metric="rpc_server_call_duration_seconds_count",
    classic="grpc_server_handled_total",
    help="Calls that the server has answered.",
    unit="{call}",
    labels=(SYSTEM, METHOD, STATUS),
    stability="candidate",
    counted_by="rpc.server.duration",
)
SERVER_ACTIVE = Gauge(
    id="rpc.server.active",
    metric="rpc_server_active_calls",
    help="Calls that the server is working on.",
    unit="{call}",
    labels=(METHOD,),
)
CLIENT_DURATION = Histogram(
    id="rpc.client.duration",
    metric="rpc_client_call_duration_seconds",
    classic="grpc_client_handling_seconds",
    help="Duration of calls as the client sees them, streams from first to last message.",
    labels=(SYSTEM, CALLED, STATUS, SERVER_ADDRESS),
    stability="candidate",
)
CLIENT_CALLS = Counter(
    id="rpc.client.calls",
    metric="rpc_client_call_duration_seconds_count",
    classic="grpc_client_handled_total",
    help="Calls that the client has made.",
    unit="{call}",
    labels=(SYSTEM, CALLED, STATUS, SERVER_ADDRESS),
    stability="candidate",
    counted_by="rpc.client.duration",
)

SIGNALS = (SERVER_DURATION, SERVER_CALLS, SERVER_ACTIVE, CLIENT_DURATION, CLIENT_CALLS)
