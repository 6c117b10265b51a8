"""Settings: the only reader of the environment, one frozen object that knows its sources.

Precedence, highest first: arguments of `init()`, `OBS_*` variables, the standard `OTEL_*`,
`SENTRY_*` and `LOG_LEVEL` variables, defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from obs.catalogue.signal import Dialect
from obs.errors import ConfigError, suggest
from obs.runtime.redaction import is_secret, scrub
from obs.runtime.settings_table import TABLE, Row

_ROWS = {row.name: row for row in TABLE}
#: Values that no `repr` shows: they are secrets or may hold some.
_HIDDEN = frozenset({
    "metrics_endpoint", "logs_endpoint", "otlp_endpoint", "traces_endpoint", "otlp_headers", "resource",
    "sentry_dsn", "sentry_tags", "sources",
})  # fmt: skip


class Settings:
    """Every setting of the runtime; `sources` tells where each value came from.

    Times are in seconds. The table in `obs.runtime.settings_table` explains each one.
    """

    service: str
    version: str
    environment: str
    metrics: bool
    logs: bool
    traces: bool
    dialect: Dialect
    series_cap: int
    metrics_workers: bool
    metrics_dir: str
    metrics_push: str
    metrics_endpoint: str
    log_level: str
    log_levels: Mapping[str, str]
    log_format: str
    log_stream: str
    log_location: bool
    log_repeat_limit: int
    otlp_logs: str
    logs_endpoint: str
    log_queue: int
    control_token_file: str
    access_log: bool
    otlp_endpoint: str
    traces_endpoint: str
    otlp_headers: Mapping[str, str]
    otlp_timeout: float
    otlp_compression: str
    otlp_certificate: str
    otlp_client_certificate: str
    otlp_client_key: str
    traces_ratio: float
    slow_request: float
    span_queue: int
    span_batch: int
    export_interval: float
    slow_query: float
    shutdown_timeout: float
    flush_on_sigterm: bool
    trust_incoming: bool
    trust_sampled: bool
    propagate_to: tuple[str, ...]
    baggage_keys: tuple[str, ...]
    resource: Mapping[str, str]
    redact: bool
    redact_keys: tuple[str, ...]
    redact_allow: tuple[str, ...]
    redact_email: bool
    sentry_dsn: str
    sentry_dsn_file: str
    sentry_traces_rate: float
    sentry_tags: Mapping[str, str]
    audit_file: str
    audit_key_file: str
    audit_anchor_every: int
    metrics_path: str
    health_path: str
    ready_path: str
    live_path: str
    health_ttl: float
    sources: Mapping[str, str]

    def __init__(self, **values: Any) -> None:
        # Not a dataclass: to make one of this many fields takes longer than all else that init() does
        # with settings.
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"setting {name} is fixed: call init() again")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"setting {name} is fixed: call init() again")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self._compared() == other._compared()

    # Some of the values are mappings.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in vars(self).items() if name not in _HIDDEN)
        return f"Settings({', '.join(shown)})"

    def _compared(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "sources"}

    def replaced(self, **values: Any) -> Settings:
        """Return these settings with `values` instead of what they have."""
        return Settings(**{**vars(self), **values})


def resolve(arguments: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings for `arguments` of `init()` over `environ` (default: the process's own).

    An argument that is None counts as not given. Raises `ConfigError` for an unknown name or a
    value that cannot work; it does not insist on a service, see `require_service`.
    """
    given = {name: value for name, value in (arguments or {}).items() if value is not None}
    for name in given:
        if name not in _ROWS:
            raise ConfigError(f"unknown setting {name!r}", hint=suggest(name, _ROWS))
    variables = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for row in TABLE:
        values[row.name], sources[row.name] = _value(row, given, variables)
    _refuse_shared_paths(values)
    return Settings(**values, sources=MappingProxyType(sources))


def override(settings: Settings, arguments: Mapping[str, Any]) -> Settings:
    """Return `settings` with `arguments` of `init()` over them.

    Raises `ConfigError` for an unknown name or a value that cannot work.
    """
    wanted = {name: value for name, value in arguments.items() if value is not None}
    given = resolve(wanted, {})
    changed = {name: getattr(given, name) for name in wanted}
    return settings.replaced(
        **changed,
        sources=MappingProxyType({**settings.sources, **dict.fromkeys(wanted, "argument")}),
    )


def require_service(settings: Settings) -> Settings:
    """Return `settings`; raise `ConfigError` when nothing names the service."""
    if not settings.service:
        raise ConfigError(
            "no service name: got none from init(), OBS_SERVICE or OTEL_SERVICE_NAME",
            hint='obs.init("checkout"), or set OBS_SERVICE',
        )
    return settings


def differences(old: Settings, new: Settings) -> list[str]:
    """Return a sentence for each setting that differs, secrets masked."""
    return [
        f"{row.name}: {display(row, old)} -> {display(row, new)}"
        for row in TABLE
        if getattr(old, row.name) != getattr(new, row.name)
    ]


def display(row: Row, settings: Settings) -> str:
    """Return the value of a setting as text that may be shown: secrets are masked."""
    value = getattr(settings, row.name)
    if isinstance(value, Mapping):
        hidden = (row.secret or is_secret(key) for key in value)
        pairs = zip(value.items(), hidden, strict=True)
        return ",".join(f"{key}={'***' if hide else scrub(text)}" for (key, text), hide in pairs)
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if row.secret and value:
        return "***"
    return f"{value:g}" if isinstance(value, float) else scrub(str(value))


def _refuse_shared_paths(values: Mapping[str, Any]) -> None:
    seen: dict[str, str] = {}
    for name in ("metrics_path", "health_path", "ready_path", "live_path"):
        other = seen.setdefault(values[name], name)
        if other != name:
            raise ConfigError(f"{name} and {other} are both {values[name]!r}: expected a path for each")


def _value(row: Row, given: Mapping[str, Any], variables: Mapping[str, str]) -> tuple[Any, str]:
    if row.name in given:
        return _parse(row, given[row.name], f"argument {row.name}", row.parse), "argument"
    for variable in row.variables:
        text = variables.get(variable.name, "").strip()
        if not text:
            continue
        parse = variable.parse or row.parse
        value = _parse(row, text, variable.name, parse)
        if value is None:
            # The variable exists but says nothing about this setting (one key of a list of pairs).
            continue
        return value, variable.name
    return row.default, "default"


def _parse(row: Row, raw: Any, origin: str, parse: Any) -> Any:
    try:
        return parse(raw)
    except (TypeError, ValueError) as error:
        # Scrubbed, because an endpoint may carry a password.
        got = "a value that is kept secret" if row.secret else scrub(repr(raw), 256)
        raise ConfigError(f"{origin}: got {got}, expected {error}") from None
