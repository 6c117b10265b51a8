"""Our lines from processes that never run `init()`, by a configuration of standard logging.

The parent of a server's workers (``uvicorn --workers``, gunicorn without preload) does not import the
application, so that its few lines would be the only plain text among ours.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from obs.runtime import guard
from obs.runtime.json import dumps
from obs.runtime.lines import Line, Pipeline
from obs.runtime.records import write
from obs.runtime.settings import require_service, resolve
from obs.runtime.severity import active_error


class JsonFormatter(logging.Formatter):
    """Formats records as the lines that `init()` would write: for `logging.config` and the like.

    Settings are those of `init()`, from its arguments or the environment; levels and streams are for
    the configuration to choose. Raises `ConfigError` when nothing names the service or a setting
    cannot work.
    """

    def __init__(self, service: str | None = None, **settings: Any) -> None:
        super().__init__()
        # A formatter cannot leave a line out.
        wanted = require_service(resolve({"service": service, **settings, "log_repeat_limit": 0}))
        self._made = threading.local()
        self._pipeline = Pipeline(wanted, (self._keep,), self._keep)

    def format(self, record: logging.LogRecord) -> str:
        """Return `record` as one line of JSON, without its newline; never raises."""
        try:
            write(self._pipeline, record, active_error(record.exc_info) if record.exc_info else None)
            return dumps(self._made.line).decode()
        except Exception as error:
            guard.report("logs", error)
            return dumps({"level": "error", "message": "a record that could not be formatted"}).decode()

    def _keep(self, line: Line) -> None:
        self._made.line = line
