"""Names under which common instrumentation counts what the catalogue has a signal for.

The two dialects of the catalogue are known anyway. Sources: the documentation of the client libraries and
middlewares for Flask, Django, Starlette, FastAPI, Express, Micrometer, HikariCP, Go and gRPC, and the names
of OpenTelemetry before its HTTP conventions were stable.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Id of a signal -> names of metrics, the likeliest first; of a histogram without ``_bucket``.
METRICS: Mapping[str, tuple[str, ...]] = {
    "http.server.duration": (
        "http_server_requests_seconds", "flask_http_request_duration_seconds", "starlette_request_duration_seconds",
        "starlette_requests_processing_time_seconds", "django_http_requests_latency_seconds_by_view_method",
        "http_requests_duration_seconds", "http_response_time_seconds", "http_request_latency_seconds",
        "request_duration_seconds", "http_server_duration_milliseconds", "http_request_duration_milliseconds",
        "http_request_duration_ms",
    ),
    "http.server.requests": (
        "http_request_total", "flask_http_request_total", "starlette_requests_total", "starlette_responses_total",
        "django_http_responses_total_by_status_view_method_total", "http_responses_total", "requests_total",
    ),
    "http.server.active": (
        "http_requests_inprogress", "http_requests_in_flight", "http_in_flight_requests",
        "starlette_requests_in_progress", "in_flight_requests",
    ),
    "http.client.duration": ("http_client_duration_milliseconds", "http_client_requests_seconds"),
    "db.client.duration": (
        "db_query_duration_ms", "database_query_duration_seconds", "sql_query_duration_seconds",
        "django_db_query_duration_seconds",
    ),
    "db.connections.used": ("hikaricp_connections_active", "go_sql_in_use_connections", "db_connections_active"),
    "db.connections.max": ("hikaricp_connections_max", "go_sql_max_open_connections", "db_pool_size"),
    "db.connections.waiting": ("hikaricp_connections_pending",),
    "db.connections.timeouts": ("hikaricp_connections_timeout_total",),
    "cache.hits": ("redis_cache_hits", "cache_hits"),
    "cache.misses": ("redis_cache_misses", "cache_misses"),
    "job.runs": ("job_executions_total", "jobs_total", "cron_runs_total", "job_run_total"),
    "job.last_success": (
        "job_last_success_unixtime", "cron_last_success_timestamp_seconds",
    ),
    "job.duration": ("cron_duration_seconds",),
}  # fmt: skip
#: Id of a counter -> metrics that count its bad events alone, and what these have in common.
BAD: Mapping[str, tuple[tuple[str, ...], tuple[str, str]]] = {
    "job.runs": (("job_failures_total", "jobs_failed_total", "cron_failures_total"), ("result", "failure")),
    "http.server.requests": (
        ("http_errors_total", "http_request_errors_total"),
        ("http.response.status_code", "5xx"),
    ),
}
#: Label of the catalogue -> what others call it.
LABELS: Mapping[str, tuple[str, ...]] = {
    "http.request.method": ("method", "http_method", "verb"),
    "http.route": (
        "route", "path", "handler", "endpoint", "uri", "path_template", "url_rule", "view", "http_route", "url",
    ),
    "http.response.status_code": ("status_code", "status", "code", "http_status_code", "response_code"),
    "server.address": ("host", "target", "peer", "client_name", "net_peer_name"),
    "db.client.connection.pool.name": ("pool", "db_name"),
    "job.name": ("job_name", "name", "task", "cron", "job"),
    "result": ("result", "status", "outcome", "state"),
}  # fmt: skip
#: Value of the catalogue -> what others call it, in lower case.
VALUES: Mapping[str, tuple[str, ...]] = {
    "success": ("ok", "succeeded", "successful", "completed", "complete", "true"),
    "failure": ("error", "failed", "fail", "errored", "exception", "false"),
}
#: End of a name -> unit of a histogram.
UNITS: Mapping[str, str] = {
    "_milliseconds": "ms",
    "_ms": "ms",
    "_microseconds": "us",
    "_us": "us",
    "_nanoseconds": "ns",
}
