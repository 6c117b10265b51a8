"""The logger of the face: works before `init()` (through standard logging) and never raises."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from obs.runtime import guard
from obs.runtime.severity import SEVERITY, active_error

if TYPE_CHECKING:
    from obs.runtime.lines import Pipeline

_pipeline: Pipeline | None = None
_off = False


def use(pipeline: Pipeline | None, *, off: bool = False) -> None:
    """Send every logger's lines to `pipeline`; None means standard logging, or nowhere with `off`."""
    global _pipeline, _off
    _pipeline, _off = pipeline, off


def pipeline() -> Pipeline | None:
    """Return where lines go now; None before `init()` and with logs off."""
    return _pipeline


class Logger:
    """Structured logging: `log.info("order placed", order_id=7)`.

    The event is a sentence without values; values are fields. A level below the threshold costs
    a comparison. A field that collides with one of ours (`level`, `service`, ...) gets a trailing
    underscore.
    """

    __slots__ = ("_fields", "_name")

    def __init__(self, name: str = "", fields: Mapping[str, Any] | None = None) -> None:
        self._name = name
        self._fields: Mapping[str, Any] = MappingProxyType(dict(fields or {}))

    def bind(self, /, **fields: Any) -> Logger:
        """Return a logger that adds `fields` to each of its lines."""
        return Logger(self._name, {**self._fields, **fields})

    def debug(self, event: str, /, **fields: Any) -> None:
        """Write a line for developers."""
        self._log("debug", event, fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """Write a line about what happened."""
        self._log("info", event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """Write a line about what may become a problem."""
        self._log("warning", event, fields)

    def error(self, event: str, /, **fields: Any) -> None:
        """Write a line about what failed; `exc_info=True` or an exception adds the stack."""
        self._log("error", event, fields)

    def critical(self, event: str, /, **fields: Any) -> None:
        """Write a line about what stops the service."""
        self._log("critical", event, fields)

    def exception(self, event: str, /, **fields: Any) -> None:
        """Write an error line with the stack of the exception being handled."""
        self._log("error", event, {"exc_info": True, **fields})

    def _log(self, level: str, event: str, fields: dict[str, Any]) -> None:
        current = _pipeline
        if current is None:
            if not _off:
                with guard.contained("logs"):
                    _before_init(self._name, level, event, {**self._fields, **fields})
            return
        if SEVERITY[level] < current.threshold:
            return
        try:
            error = active_error(fields.pop("exc_info", None))
            own = {**self._fields, **fields} if self._fields else fields
            current.emit(level, event, own, logger=self._name, error=error)
        except Exception as failure:
            guard.report("logs", failure)


def _before_init(name: str, level: str, event: str, fields: dict[str, Any]) -> None:
    logger = logging.getLogger(name or "obs")
    error = active_error(fields.pop("exc_info", None))
    if not logger.isEnabledFor(SEVERITY[level]):
        return
    rendered = "".join(f" {key}={value!r}" for key, value in fields.items())
    logger.log(SEVERITY[level], "%s%s", event, rendered, exc_info=error)


log = Logger()


def get_logger(name: str, /, **fields: Any) -> Logger:
    """Return a logger called `name` that adds `fields` to each of its lines."""
    return Logger(name, fields)
