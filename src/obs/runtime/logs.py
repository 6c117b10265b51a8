"""The log pillar: standard logging, warnings and the servers' loggers led through one pipeline."""

from __future__ import annotations

import logging
import os
from typing import Any

from obs.runtime import guard, logger
from obs.runtime.lines import Pipeline, Stream, render_json
from obs.runtime.logged import is_logged
from obs.runtime.settings import Settings
from obs.runtime.severity import SEVERITY, active_error, level_of
from obs.runtime.structured import Structlog, console

#: Loggers that configure themselves and would write a second, plain copy of each line.
_SELF_WILLED = ("uvicorn", "uvicorn.error", "uvicorn.asgi")
#: Replaced by our one access line a request.
_ACCESS = "uvicorn.access"
_FDS = {"stdout": 1, "stderr": 2}
#: What every LogRecord has; all else came in through `extra=`.
_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class Handler(logging.Handler):
    """Writes records of standard logging through the pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._pipeline = pipeline

    def handle(self, record: logging.LogRecord) -> bool:
        """Write `record` unless a filter refuses it; without the handler's lock, the stream has one."""
        # Since Python 3.12 a filter may answer with another record.
        passed: Any = self.filter(record)
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`; an error is the guard's, never the host's."""
        try:
            error = active_error(record.exc_info) if record.exc_info else None
            if error is not None and is_logged(error):
                return
            own = {key: value for key, value in vars(record).items() if key not in _RECORD}
            self._pipeline.emit(
                level_of(record.levelno),
                _message(record),
                own,
                logger=record.name,
                error=error,
                stack=record.exc_text or record.stack_info or "",
            )
        except Exception as failure:
            guard.report("logs", failure)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:
        # The line is worth more than its arguments; the guard still counts the mistake.
        guard.report("logs", error)
        return str(record.msg)


class Logs:
    """What the log pillar changed in this process, and how to change it back."""

    def __init__(self, settings: Settings) -> None:
        stream = Stream(_FDS[settings.log_stream])
        self.console = settings.log_format == "console" or (
            settings.log_format == "auto" and os.isatty(stream.fd)
        )
        self.pipeline = Pipeline(settings, stream, console() if self.console else render_json)
        self._stream = stream
        self._structlog = Structlog(self.pipeline)
        self._handler = Handler(self.pipeline)
        self._root_level = logging.root.level
        self._set_aside = _take_root(self._handler, SEVERITY[settings.log_level])
        self._adopted: list[tuple[logging.Logger, list[logging.Handler], bool, bool]] = []
        self._captured = logging.getLogger("py.warnings").handlers == []
        if self._captured:
            logging.captureWarnings(capture=True)
        self.adopt_servers()
        logger.use(self.pipeline)

    @property
    def adopted_structlog(self) -> bool:
        """Tell whether the host had configured structlog already, and keeps its configuration."""
        return self._structlog.adopted

    def renew(self) -> None:
        """Get a fresh lock: called in a forked child."""
        self._stream._renew()  # noqa: SLF001 - its owner

    def adopt_servers(self) -> None:
        """Lead the loggers of uvicorn, which it configures at its own start, through the pipeline."""
        known = {item[0].name for item in self._adopted}
        for name in (*_SELF_WILLED, _ACCESS):
            found = logging.getLogger(name)
            if name not in known:
                self._adopted.append((found, list(found.handlers), found.propagate, found.disabled))
            found.handlers.clear()
            found.propagate = True
            if name == _ACCESS:
                found.disabled = True

    def stop(self) -> None:
        """Put standard logging and structlog back as they were."""
        logger.use(None)
        for found, handlers, propagate, disabled in self._adopted:
            found.handlers[:] = handlers
            found.propagate, found.disabled = propagate, disabled
        root = logging.root
        root.removeHandler(self._handler)
        for handler in self._set_aside:
            root.addHandler(handler)
        root.setLevel(self._root_level)
        if self._captured:
            logging.captureWarnings(capture=False)
        self._structlog.stop()


def _take_root(handler: logging.Handler, level: int) -> list[logging.Handler]:
    """Make `handler` the root's console; file handlers and the like stay beside it."""
    root = logging.root
    set_aside = [found for found in root.handlers if _writes_to_console(found)]
    for found in set_aside:
        root.removeHandler(found)
    root.addHandler(handler)
    # The threshold is the handler's: loggers with a level of their own pass the root's, and another
    # handler of the host may want more than we do.
    handler.setLevel(level)
    root.setLevel(min(root.level, level))
    return set_aside


def _writes_to_console(handler: logging.Handler) -> bool:
    if type(handler) is not logging.StreamHandler:
        return False
    try:
        return handler.stream.fileno() in _FDS.values()
    except (AttributeError, OSError, ValueError):
        return False
