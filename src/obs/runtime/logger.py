"""The logger of the face: works before `init()` (through standard logging) and never raises."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from obs.runtime import guard, levels
from obs.runtime.severity import SEVERITY, active_error

if TYPE_CHECKING:
    from obs.runtime.lines import Pipeline

_pipeline: Pipeline | None = None
_off = False
_DEBUG, _INFO, _WARNING, _ERROR, _CRITICAL = SEVERITY.values()


def use(pipeline: Pipeline | None, *, off: bool = False) -> None:
    """Send every logger's lines to `pipeline`; None means standard logging, or nowhere with `off`."""
    global _pipeline, _off
    _pipeline, _off = pipeline, off
    if pipeline is None:
        levels.stop(off=off)


def pipeline() -> Pipeline | None:
    """Return where lines go now; None before `init()` and with logs off."""
    return _pipeline


class Logger:
    """Structured logging: `log.info("order placed", order_id=7)`.

    The event is a sentence without values; values are fields. A level below the threshold costs
    a comparison. A field that collides with one of ours (`level`, `service`, ...) gets a trailing
    underscore.
    """

    __slots__ = ("_fields", "_gate", "_name")

    def __init__(self, name: str = "", fields: Mapping[str, Any] | None = None) -> None:
        self._name = name
        self._fields: Mapping[str, Any] = MappingProxyType(dict(fields or {}))
        self._gate = levels.gate(name)

    def __reduce__(self) -> tuple[type[Logger], tuple[str, dict[str, Any]]]:
        return Logger, (self._name, dict(self._fields))

    def bind(self, /, **fields: Any) -> Logger:
        """Return a logger that adds `fields` to each of its lines."""
        return Logger(self._name, {**self._fields, **fields})

    def debug(self, event: str, /, **fields: Any) -> None:
        """Write a line for developers."""
        if self._gate.level <= _DEBUG:
            self._log("debug", event, fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """Write a line about what happened."""
        if self._gate.level <= _INFO:
            self._log("info", event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """Write a line about what may become a problem."""
        if self._gate.level <= _WARNING:
            self._log("warning", event, fields)

    def error(self, event: str, /, **fields: Any) -> None:
        """Write a line about what failed; `exc_info=True` or an exception adds the stack."""
        if self._gate.level <= _ERROR:
            self._log("error", event, fields)

    def critical(self, event: str, /, **fields: Any) -> None:
        """Write a line about what stops the service."""
        if self._gate.level <= _CRITICAL:
            self._log("critical", event, fields)

    def exception(self, event: str, /, **fields: Any) -> None:
        """Write an error line with the stack of the exception being handled."""
        if self._gate.level <= _ERROR:
            self._log("error", event, {"exc_info": True, **fields})

    def _log(self, level: str, event: str, fields: dict[str, Any]) -> None:
        try:
            error = active_error(fields.pop("exc_info")) if "exc_info" in fields else None
            own = {**self._fields, **fields} if self._fields else fields
            current = _pipeline
            if current is not None:
                current.emit(level, event, own, self._name, error)
            elif not _off:
                _before_init(self._name, level, event, own, error)
        except Exception as failure:
            guard.report("logs", failure)


def write(
    name: str, level: str, message: str, fields: Mapping[str, Any], error: BaseException | None = None
) -> None:
    """Write one line for the logger called `name`, whatever its threshold. Never raises."""
    try:
        current = _pipeline
        if current is not None:
            current.emit(level, message, fields, logger=name, error=error)
        elif not _off:
            _before_init(name, level, message, fields, error)
    except Exception as failure:
        guard.report("logs", failure)


def _before_init(
    name: str, level: str, event: str, fields: Mapping[str, Any], error: BaseException | None
) -> None:
    logger = logging.getLogger(name or "obs")
    if not logger.isEnabledFor(SEVERITY[level]):
        return
    rendered = "".join(f" {key}={value!r}" for key, value in fields.items())
    logger.log(SEVERITY[level], "%s%s", event, rendered, exc_info=error)


log = Logger()


def get_logger(name: str, /, **fields: Any) -> Logger:
    """Return a logger called `name` that adds `fields` to each of its lines. Never raises."""
    given: object = name
    with guard.contained("logs"):
        return Logger(given if isinstance(given, str) else str(given or ""), fields)
    return Logger("", fields)
