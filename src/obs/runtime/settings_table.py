"""The table of settings: name, environment variables in order, type, default, meaning."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NamedTuple

from obs.runtime import settings_parsers as parse
from obs.runtime.settings_parsers import Parser


class Variable(NamedTuple):
    """An environment variable, with a parser of its own where its form differs from ours."""

    name: str
    parse: Parser | None = None


class Row(NamedTuple):
    """One setting."""

    name: str
    variables: tuple[Variable, ...]
    parse: Parser
    default: Any
    help: str
    type: str
    secret: bool = False


def _resource(*keys: str, read: Parser) -> Variable:
    """Return the variable of OpenTelemetry's resource attributes, read for the first of `keys`."""

    def pick(raw: Any) -> Any:
        pairs = parse.pairs(raw)
        return next((read(pairs[key]) for key in keys if key in pairs), None)

    return Variable("OTEL_RESOURCE_ATTRIBUTES", pick)


def _variables(*names: str | Variable) -> tuple[Variable, ...]:
    return tuple(name if isinstance(name, Variable) else Variable(name) for name in names)


TABLE: tuple[Row, ...] = (
    Row(
        "service",
        _variables("OBS_SERVICE", "OTEL_SERVICE_NAME", _resource("service.name", read=parse.name)),
        parse.name, "", "Name of the service; the only setting without a usable default.", "name",
    ),
    Row(
        "version",
        _variables("OBS_VERSION", _resource("service.version", read=parse.text), "SENTRY_RELEASE"),
        parse.text, "", "Version of the service.", "text",
    ),
    Row(
        "environment",
        _variables(
            "OBS_ENVIRONMENT",
            _resource("deployment.environment.name", "deployment.environment", read=parse.text),
            "SENTRY_ENVIRONMENT",
        ),
        parse.text, "", "Deployment environment, such as production.", "text",
    ),
    Row("metrics", _variables("OBS_METRICS"), parse.flag, True, "Keep and serve metrics.", "flag"),
    Row("logs", _variables("OBS_LOGS"), parse.flag, True, "Write log lines, adopt standard logging.", "flag"),
    Row(
        "traces", _variables("OBS_TRACES", Variable("OTEL_SDK_DISABLED", parse.not_flag)),
        parse.flag, True, "Make spans and ids.", "flag",
    ),
    Row(
        "dialect", _variables("OBS_DIALECT"), parse.choice("otel", "classic"), "otel",
        "Names of metrics: OpenTelemetry's, or the classic Prometheus ones.", "otel | classic",
    ),
    Row(
        "series_cap", _variables("OBS_SERIES_CAP"), parse.whole(1, 1_000_000), 1000,
        "Most series a metric; beyond it, values of unbounded labels become 'overflow'.", "whole number",
    ),
    Row(
        "metrics_workers", _variables("OBS_METRICS_WORKERS"), parse.flag, True,
        "Answer a scrape for all processes that were forked from, or started by, the same one.", "flag",
    ),
    Row(
        "metrics_dir", _variables("OBS_METRICS_DIR", "PROMETHEUS_MULTIPROC_DIR"), parse.file, "",
        "Folder for what worker processes share; by default a private one below the system's temporary folder.",
        "folder",
    ),
    Row(
        "metrics_push", _variables("OBS_METRICS_PUSH"), parse.choice("auto", "on", "off"), "auto",
        "Push metrics by OTLP at exit: auto for processes that nothing scraped or could have scraped, on "
        "(who is scraped as well counts twice then), off.",
        "auto | on | off",
    ),
    Row(
        "metrics_endpoint",
        _variables("OBS_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"), parse.url, "",
        "Full URL for metrics, when it is not <otlp_endpoint>/v1/metrics.", "URL",
    ),
    Row(
        "log_level", _variables("OBS_LOG_LEVEL", "LOG_LEVEL"), parse.level, "info",
        "Least severe level that is written.", "level",
    ),
    Row(
        "log_levels", _variables("OBS_LOG_LEVELS"), parse.levels, MappingProxyType({}),
        "Levels of single loggers and those below them, over log_level.", "logger=level,...",
    ),
    Row(
        "log_format", _variables("OBS_LOG_FORMAT"), parse.choice("auto", "json", "console"), "auto",
        "json, console (for people), or auto: console on a terminal.", "auto | json | console",
    ),
    Row(
        "log_stream", _variables("OBS_LOG_STREAM"), parse.choice("stdout", "stderr"), "stdout",
        "Where log lines go.", "stdout | stderr",
    ),
    Row(
        "log_location", _variables("OBS_LOG_LOCATION"), parse.flag, False,
        "Put file, line and function on every log line.", "flag",
    ),
    Row(
        "log_repeat_limit", _variables("OBS_LOG_REPEAT_LIMIT"), parse.whole(0, 1_000_000), 100,
        "Most lines a second of one logger, level and event; more are counted and told by one line. 0: no limit.",
        "whole number",
    ),
    Row(
        "otlp_logs", _variables("OBS_OTLP_LOGS"), parse.choice("off", "on", "both"), "off",
        "Send log lines to the OTLP collector instead of log_stream (on), or to both.", "off | on | both",
    ),
    Row(
        "logs_endpoint", _variables("OBS_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"), parse.url, "",
        "Full URL for logs, when it is not <otlp_endpoint>/v1/logs.", "URL",
    ),
    Row(
        "log_queue", _variables("OBS_LOG_QUEUE", "OTEL_BLRP_MAX_QUEUE_SIZE"), parse.whole(1, 1_000_000), 2048,
        "Most log lines waiting for export; more are dropped and counted.", "whole number",
    ),
    Row(
        "control_token_file", _variables("OBS_CONTROL_TOKEN_FILE"), parse.file, "",
        "File with the bearer token for PUT /level on the port of serve(); without one, that is off.", "file",
    ),
    Row("access_log", _variables("OBS_ACCESS_LOG"), parse.flag, True, "Write one line a request.", "flag"),
    Row(
        "otlp_endpoint", _variables("OBS_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"), parse.url, "",
        "Base URL of an OTLP/HTTP collector; without one, spans have ids but are not exported.", "URL",
    ),
    Row(
        "traces_endpoint",
        _variables("OBS_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), parse.url, "",
        "Full URL for traces, when it is not <otlp_endpoint>/v1/traces.", "URL",
    ),
    Row(
        "otlp_headers",
        _variables(
            "OBS_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"
        ),
        parse.pairs, MappingProxyType({}), "Headers sent to the collector.", "key=value,...", secret=True,
    ),
    Row(
        "otlp_timeout",
        _variables("OBS_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"),
        parse.number(0.1, 120.0), 10.0, "Seconds that one request to the collector may take, and after which failing ones are told as an outage.", "seconds",
    ),
    Row(
        "otlp_compression",
        _variables(
            "OBS_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"
        ),
        parse.choice("none", "gzip"), "none", "Compression of what is sent to the collector.", "none | gzip",
    ),
    Row(
        "otlp_certificate",
        _variables("OBS_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        parse.existing_file, "", "Certificate authorities (PEM) that an https collector is held to, instead of the system's.", "file",
    ),
    Row(
        "otlp_client_certificate",
        _variables("OBS_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        parse.existing_file, "", "Our own certificate (PEM) for a collector that asks for one.", "file",
    ),
    Row(
        "otlp_client_key",
        _variables("OBS_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        parse.existing_file, "", "Its private key (PEM), where it is in a file of its own.", "file",
    ),
    Row(
        "traces_ratio",
        _variables("OBS_TRACES_RATIO", Variable("OTEL_TRACES_SAMPLER", parse.sampler), "OTEL_TRACES_SAMPLER_ARG"),
        parse.RATIO, 1.0, "Share of new traces that is sampled, decided at the head.", "0 to 1",
    ),
    Row(
        "slow_request", _variables("OBS_SLOW_REQUEST"), parse.number(0.0, 3600.0), 1.0,
        "Seconds from which a request that is not sampled is recorded all the same, as are failed ones.", "seconds",
    ),
    Row(
        "span_queue", _variables("OBS_SPAN_QUEUE", "OTEL_BSP_MAX_QUEUE_SIZE"), parse.whole(1, 1_000_000), 2048,
        "Most spans waiting for export; more are dropped and counted.", "whole number",
    ),
    Row(
        "span_batch", _variables("OBS_SPAN_BATCH", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"), parse.whole(1, 100_000),
        512, "Most spans in one export.", "whole number",
    ),
    Row(
        "export_interval",
        _variables(
            "OBS_EXPORT_INTERVAL", Variable("OTEL_BSP_SCHEDULE_DELAY", parse.number(0.01, 3600.0, scale=0.001))
        ),
        parse.number(0.01, 3600.0), 2.0, "Seconds between two exports: most that a span waits in a quiet process.", "seconds",
    ),
    Row(
        "slow_query", _variables("OBS_SLOW_QUERY"), parse.number(0.0, 86_400.0), 1.0,
        "Seconds from which a database operation gets a line of its own; 0 for never.", "seconds",
    ),
    Row(
        "shutdown_timeout", _variables("OBS_SHUTDOWN_TIMEOUT"), parse.number(0.0, 60.0), 3.0,
        "Seconds that shutdown() and flush() may take, at exit as well.", "seconds",
    ),
    Row(
        "flush_on_sigterm", _variables("OBS_FLUSH_ON_SIGTERM"), parse.flag, True,
        "Deliver what waits when SIGTERM ends the process, where nobody else handles that signal.", "flag",
    ),
    Row(
        "trust_incoming", _variables("OBS_TRUST_INCOMING"), parse.flag, True,
        "Continue the trace and request id that a caller sends, and take its baggage.", "flag",
    ),
    Row(
        "trust_sampled", _variables("OBS_TRUST_SAMPLED"), parse.flag, True,
        "Follow a caller's decision to sample a trace; false decides anew by traces_ratio.", "flag",
    ),
    Row(
        "propagate_to", _variables("OBS_PROPAGATE_TO"), parse.HOSTS, ("internal",),
        "Hosts that trace headers, ids and baggage may go to, as names or *.domain; internal stands for private "
        "addresses, names without a dot and .local, .internal, .svc, .test; * for every host.", "hosts",
    ),
    Row(
        "baggage_keys", _variables("OBS_BAGGAGE_KEYS"), parse.KEYS, (),
        "Keys of the caller's W3C baggage that become fields of lines and spans.", "keys",
    ),
    Row(
        "resource", _variables("OBS_RESOURCE", "OTEL_RESOURCE_ATTRIBUTES"), parse.pairs, MappingProxyType({}),
        "Further attributes of the process on every span.", "key=value,...",
    ),
    Row(
        "redact", _variables("OBS_REDACT"), parse.flag, True,
        "Mask secrets in lines, spans, error and audit events; without it, status() says so.", "flag",
    ),
    Row(
        "redact_keys", _variables("OBS_REDACT_KEYS"), parse.PATTERNS, (),
        "Names of further fields to mask, * for any characters.", "names",
    ),
    Row(
        "redact_allow", _variables("OBS_REDACT_ALLOW"), parse.PATTERNS, (),
        "Names of fields to leave as they are, * for any characters.", "names",
    ),
    Row("redact_email", _variables("OBS_REDACT_EMAIL"), parse.flag, False, "Mask e-mail addresses, too.", "flag"),
    Row(
        "sentry_dsn", _variables("OBS_SENTRY_DSN", "SENTRY_DSN"), parse.dsn, "",
        "Where error events go, in Sentry's form; needs the extra sentry.", "DSN", secret=True,
    ),
    Row(
        "sentry_dsn_file", _variables("OBS_SENTRY_DSN_FILE", "SENTRY_DSN_FILE"), parse.existing_file, "",
        "File with the DSN, where it should not stand in the environment.", "file",
    ),
    Row(
        "sentry_traces_rate", _variables("OBS_SENTRY_TRACES_RATE", "SENTRY_TRACES_SAMPLE_RATE"), parse.RATIO, 0.1,
        "Share of the transactions that the host itself starts with sentry_sdk that Sentry keeps; our spans go to "
        "the collector.", "0 to 1",
    ),
    Row(
        "sentry_tags", _variables("OBS_SENTRY_TAGS"), parse.pairs, MappingProxyType({}),
        "Tags on every error event.", "key=value,...",
    ),
    Row(
        "audit_file", _variables("OBS_AUDIT_FILE"), parse.file, "",
        "File that audit and security events are appended to; without one they go to log_stream, otlp_logs or not.", "file",
    ),
    Row(
        "audit_key_file", _variables("OBS_AUDIT_KEY_FILE"), parse.file, "",
        "File with the key of the audit chain, for its owner only; without one the chain is a plain hash, which "
        "finds mistakes but no forger.", "file",
    ),
    Row(
        "audit_anchor_every", _variables("OBS_AUDIT_ANCHOR_EVERY"), parse.whole(1, 1_000_000), 1000,
        "Audit events after which an anchor line is written.", "whole number",
    ),
    Row("metrics_path", _variables("OBS_METRICS_PATH"), parse.path, "/metrics", "Path of the metrics.", "path"),
    Row("health_path", _variables("OBS_HEALTH_PATH"), parse.path, "/health", "Path of the health report.", "path"),
    Row("ready_path", _variables("OBS_READY_PATH"), parse.path, "/ready", "Path of readiness.", "path"),
    Row("live_path", _variables("OBS_LIVE_PATH"), parse.path, "/live", "Path of liveness.", "path"),
    Row(
        "health_ttl", _variables("OBS_HEALTH_TTL"), parse.number(0.0, 3600.0), 1.0,
        "Seconds that the result of a health check is kept for those who ask meanwhile.", "seconds",
    ),
)  # fmt: skip
