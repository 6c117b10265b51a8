"""HTTP, server and client side, after OpenTelemetry's stable HTTP semantic conventions."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Histogram, Label

#: The methods the conventions know; anything else is reported as ``_OTHER``.
METHODS = (
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", "_OTHER",
)  # fmt: skip

METHOD = Label("http.request.method", "Request method, _OTHER when unknown.", METHODS, classic="method")
ROUTE = Label("http.route", "Route template, 'unmatched' when none, never a raw path.", classic="path")
STATUS = Label("http.response.status_code", "Status code of the response.", classic="status")
SERVER_ADDRESS = Label("server.address", "Host name of the called server.", bounded=False, classic="host")
ERROR_TYPE = Label(
    "error.type", "Exception class or status code of a failed call, else empty.", classic="error"
)

SERVER_DURATION = Histogram(
    id="http.server.duration",
    metric="http_server_request_duration_seconds",
    classic="http_request_duration_seconds",
    help="Duration of HTTP server requests.",
    labels=(METHOD, ROUTE, STATUS),
    stability="stable",
)
SERVER_REQUESTS = Counter(
    id="http.server.requests",
    metric="http_server_request_duration_seconds_count",
    classic="http_requests_total",
    help="HTTP server requests that have ended.",
    unit="{request}",
    labels=(METHOD, ROUTE, STATUS),
    stability="stable",
    counted_by="http.server.duration",
)
SERVER_ACTIVE = Gauge(
    id="http.server.active",
    metric="http_server_active_requests",
    classic="http_requests_in_progress",
    help="HTTP server requests in flight.",
    unit="{request}",
    labels=(METHOD,),
)
CLIENT_DURATION = Histogram(
    id="http.client.duration",
    metric="http_client_request_duration_seconds",
    help="Duration of HTTP client requests.",
    labels=(METHOD, SERVER_ADDRESS, STATUS, ERROR_TYPE),
    stability="stable",
)
CLIENT_REQUESTS = Counter(
    id="http.client.requests",
    metric="http_client_request_duration_seconds_count",
    classic="http_client_requests_total",
    help="HTTP client requests that have ended.",
    unit="{request}",
    labels=(METHOD, SERVER_ADDRESS, STATUS, ERROR_TYPE),
    stability="stable",
    counted_by="http.client.duration",
)

SIGNALS = (SERVER_DURATION, SERVER_REQUESTS, SERVER_ACTIVE, CLIENT_DURATION, CLIENT_REQUESTS)
