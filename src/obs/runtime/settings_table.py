"""The table of settings: name, environment variables in order, type, default, meaning.

A parser takes an argument or a variable's text and raises ValueError saying what it expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

Parser: TypeAlias = Callable[[Any], Any]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
#: A name may stand in labels, file names and URLs of everything that is generated for it.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_TEXT = re.compile(r"[\x20-\x7e]{0,256}\Z")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,128}\Z")


@dataclass(frozen=True)
class Variable:
    """An environment variable, with a parser of its own where its form differs from ours."""

    name: str
    parse: Parser | None = None


@dataclass(frozen=True)
class Row:
    """One setting."""

    name: str
    variables: tuple[Variable, ...]
    parse: Parser
    default: Any
    help: str
    type: str
    secret: bool = False


def _name(raw: Any) -> str:
    if not isinstance(raw, str) or not _NAME.match(raw):
        raise ValueError("a name of letters, digits, '.', '_' and '-', at most 128 characters")
    return raw


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or not _TEXT.match(raw):
        raise ValueError("printable text of at most 256 characters")
    return raw


def _flag(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("true or false")
    return word in _TRUE


def _not_flag(raw: Any) -> bool:
    return not _flag(raw)


def _choice(*words: str) -> Parser:
    def parse(raw: Any) -> str:
        word = str(raw).lower()
        if word not in words:
            raise ValueError("one of " + ", ".join(words))
        return word

    return parse


def _level(raw: Any) -> str:
    word = {"warn": "warning", "fatal": "critical"}.get(str(raw).lower(), str(raw).lower())
    return str(_choice("debug", "info", "warning", "error", "critical")(word))


def _number(low: float, high: float, scale: float = 1.0) -> Parser:
    def parse(raw: Any) -> float:
        wanted = f"a number from {low / scale:g} to {high / scale:g}"
        if isinstance(raw, bool):
            raise ValueError(wanted)  # noqa: TRY004 - one kind of error for every wrong value
        try:
            value = float(raw) * scale
        except (TypeError, ValueError):
            raise ValueError(wanted) from None
        if math.isnan(value) or not low <= value <= high:
            raise ValueError(wanted)
        return value

    return parse


def _whole(low: int, high: int) -> Parser:
    def parse(raw: Any) -> int:
        wanted = f"a whole number from {low} to {high}"
        if isinstance(raw, (bool, float)):
            raise ValueError(wanted)  # noqa: TRY004
        try:
            value = int(raw)
        except (TypeError, ValueError):
            raise ValueError(wanted) from None
        if not low <= value <= high:
            raise ValueError(wanted)
        return value

    return parse


def _url(raw: Any) -> str:
    wanted = "an http:// or https:// URL such as http://127.0.0.1:4318"
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (AttributeError, TypeError, ValueError):
        raise ValueError(wanted) from None
    if not usable or not _TEXT.match(raw):
        raise ValueError(wanted)
    return str(raw)


def _path(raw: Any) -> str:
    if not isinstance(raw, str) or not _PATH.match(raw):
        raise ValueError("a path such as /metrics")
    return raw


def _pairs(raw: Any) -> Mapping[str, str]:
    wanted = "pairs such as key=value,other=value"
    if isinstance(raw, Mapping):
        if not all(isinstance(item, str) for pair in raw.items() for item in pair):
            raise ValueError("a mapping of text to text")
        return MappingProxyType(dict(raw))
    if not isinstance(raw, str):
        raise ValueError(wanted)  # noqa: TRY004
    pairs = {}
    for item in filter(None, (part.strip() for part in raw.split(","))):
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise ValueError(wanted)
        pairs[key.strip()] = unquote(value.strip())
    return MappingProxyType(pairs)


def _resource(*keys: str, parse: Parser) -> Variable:
    """Return the variable of OpenTelemetry's resource attributes, read for the first of `keys`."""

    def pick(raw: Any) -> Any:
        pairs = _pairs(raw)
        return next((parse(pairs[key]) for key in keys if key in pairs), None)

    return Variable("OTEL_RESOURCE_ATTRIBUTES", pick)


def _sampler(raw: Any) -> float | None:
    """Return the ratio that a standard sampler name fixes; None when its argument tells."""
    word = _choice(
        "always_on", "always_off", "traceidratio",
        "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
    )(raw)  # fmt: skip
    if word.endswith("always_on"):
        return 1.0
    return 0.0 if word.endswith("always_off") else None


def _variables(*names: str | Variable) -> tuple[Variable, ...]:
    return tuple(name if isinstance(name, Variable) else Variable(name) for name in names)


_RATIO = _number(0.0, 1.0)

TABLE: tuple[Row, ...] = (
    Row(
        "service",
        _variables("OBS_SERVICE", "OTEL_SERVICE_NAME", _resource("service.name", parse=_name)),
        _name, "", "Name of the service; the only setting without a usable default.", "name",
    ),
    Row(
        "version",
        _variables("OBS_VERSION", _resource("service.version", parse=_text), "SENTRY_RELEASE"),
        _text, "", "Version of the service.", "text",
    ),
    Row(
        "environment",
        _variables(
            "OBS_ENVIRONMENT",
            _resource("deployment.environment.name", "deployment.environment", parse=_text),
            "SENTRY_ENVIRONMENT",
        ),
        _text, "", "Deployment environment, such as production.", "text",
    ),
    Row("metrics", _variables("OBS_METRICS"), _flag, True, "Keep and serve metrics.", "flag"),
    Row("logs", _variables("OBS_LOGS"), _flag, True, "Write log lines, adopt standard logging.", "flag"),
    Row(
        "traces", _variables("OBS_TRACES", Variable("OTEL_SDK_DISABLED", _not_flag)),
        _flag, True, "Make spans and ids.", "flag",
    ),
    Row(
        "dialect", _variables("OBS_DIALECT"), _choice("otel", "classic"), "otel",
        "Names of metrics: OpenTelemetry's, or the classic Prometheus ones.", "otel | classic",
    ),
    Row(
        "series_cap", _variables("OBS_SERIES_CAP"), _whole(1, 1_000_000), 1000,
        "Most series a metric; beyond it, values of unbounded labels become 'overflow'.", "whole number",
    ),
    Row(
        "log_level", _variables("OBS_LOG_LEVEL", "LOG_LEVEL"), _level, "info",
        "Least severe level that is written.", "level",
    ),
    Row(
        "log_format", _variables("OBS_LOG_FORMAT"), _choice("auto", "json", "console"), "auto",
        "json, console (for people), or auto: console on a terminal.", "auto | json | console",
    ),
    Row(
        "log_stream", _variables("OBS_LOG_STREAM"), _choice("stdout", "stderr"), "stdout",
        "Where log lines go.", "stdout | stderr",
    ),
    Row("access_log", _variables("OBS_ACCESS_LOG"), _flag, True, "Write one line a request.", "flag"),
    Row(
        "otlp_endpoint", _variables("OBS_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"), _url, "",
        "Base URL of an OTLP/HTTP collector; without one, spans have ids but are not exported.", "URL",
    ),
    Row(
        "traces_endpoint",
        _variables("OBS_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), _url, "",
        "Full URL for traces, when it is not <otlp_endpoint>/v1/traces.", "URL",
    ),
    Row(
        "otlp_headers",
        _variables(
            "OBS_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"
        ),
        _pairs, MappingProxyType({}), "Headers sent to the collector.", "key=value,...", secret=True,
    ),
    Row(
        "otlp_timeout",
        _variables("OBS_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"),
        _number(0.1, 120.0), 10.0, "Seconds that one export may take, retries included.", "seconds",
    ),
    Row(
        "traces_ratio",
        _variables("OBS_TRACES_RATIO", Variable("OTEL_TRACES_SAMPLER", _sampler), "OTEL_TRACES_SAMPLER_ARG"),
        _RATIO, 1.0, "Share of new traces that is sampled, decided at the head.", "0 to 1",
    ),
    Row(
        "span_queue", _variables("OBS_SPAN_QUEUE", "OTEL_BSP_MAX_QUEUE_SIZE"), _whole(1, 1_000_000), 2048,
        "Most spans waiting for export; more are dropped and counted.", "whole number",
    ),
    Row(
        "span_batch", _variables("OBS_SPAN_BATCH", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"), _whole(1, 100_000),
        512, "Most spans in one export.", "whole number",
    ),
    Row(
        "export_interval",
        _variables(
            "OBS_EXPORT_INTERVAL", Variable("OTEL_BSP_SCHEDULE_DELAY", _number(0.01, 3600.0, scale=0.001))
        ),
        _number(0.01, 3600.0), 5.0, "Seconds between two exports.", "seconds",
    ),
    Row(
        "shutdown_timeout", _variables("OBS_SHUTDOWN_TIMEOUT"), _number(0.0, 60.0), 3.0,
        "Seconds that shutdown() and flush() may take, at exit as well.", "seconds",
    ),
    Row(
        "trust_incoming", _variables("OBS_TRUST_INCOMING"), _flag, True,
        "Continue the trace and request id that a caller sends.", "flag",
    ),
    Row(
        "resource", _variables("OBS_RESOURCE", "OTEL_RESOURCE_ATTRIBUTES"), _pairs, MappingProxyType({}),
        "Further attributes of the process on every span.", "key=value,...",
    ),
    Row("metrics_path", _variables("OBS_METRICS_PATH"), _path, "/metrics", "Path of the metrics.", "path"),
    Row("health_path", _variables("OBS_HEALTH_PATH"), _path, "/health", "Path of the health report.", "path"),
    Row("ready_path", _variables("OBS_READY_PATH"), _path, "/ready", "Path of readiness.", "path"),
    Row("live_path", _variables("OBS_LIVE_PATH"), _path, "/live", "Path of liveness.", "path"),
)  # fmt: skip
