"""Records of standard logging as lines."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy
from typing import Any

from obs.runtime import guard, levels
from obs.runtime.lines import Pipeline
from obs.runtime.logged import is_logged
from obs.runtime.redaction import MASK
from obs.runtime.redaction.keys import HIDE, verdict
from obs.runtime.severity import SEVERITY, active_error, level_of

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
        passed: Any = self.filter(record) if self.filters else record
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`; an error is the guard's, never the host's."""
        try:
            # The threshold is ours: another handler of the host may want more than we do.
            if record.levelno < levels.threshold(record.name):
                return
            error = active_error(record.exc_info) if record.exc_info else None
            if error is None or not is_logged(error):
                write(self._pipeline, record, error)
        except Exception as failure:
            guard.report("logs", failure)


def write(pipeline: Pipeline, record: logging.LogRecord, error: BaseException | None) -> None:
    """Write `record` as a line of `pipeline`; `error` is the one that it is about."""
    message: Any = record.msg
    pipeline.emit(
        _NAMES.get(record.levelno) or level_of(record.levelno),
        message if type(message) is str and not record.args else _message(record),
        _extra(vars(record)),
        record.name,
        error,
        stack=record.exc_text or record.stack_info or "",
        template=message if record.args and type(message) is str else "",
        location=(record.pathname, record.lineno, record.funcName or "") if pipeline.locates else None,
    )


def _extra(values: dict[str, Any]) -> dict[str, Any]:
    """Return what came in through `extra=`, in its order."""
    if len(values) == _PLAIN:
        return {}
    keys = list(values)
    # Else a class of the host's has filled in attributes before those of every record.
    usual = len(keys) > _PLAIN and keys[0] == "name" and keys[_PLAIN - 1] == _LAST
    found = {}
    for key in keys[_PLAIN:] if usual else keys:
        if key not in _RECORD:
            found[key] = values[key]
    return found


#: Attributes of a record that nothing was added to.
_PLAIN = len(vars(logging.makeLogRecord({})))
#: The one that is filled in last.
_LAST = list(vars(logging.makeLogRecord({})))[-1]
_NAMES = {number: level for level, number in SEVERITY.items()}


def _message(record: logging.LogRecord) -> str:
    try:
        # Nearly always a tuple, which has no names and costs a comparison.
        return (record if type(record.args) is tuple else _masked(record)).getMessage()
    except Exception as error:
        # The line is worth more than its arguments; the guard still counts the mistake.
        guard.report("logs", error)
        return str(record.msg)


def _masked(record: logging.LogRecord) -> logging.LogRecord:
    """Return `record` without the secrets that its arguments have names for, which the message has not."""
    args: Any = record.args
    if not isinstance(args, Mapping):
        return record
    hidden = {name: MASK for name, value in args.items() if type(value) is str and _is_hidden(name)}
    if not hidden:
        return record
    masked = copy(record)
    masked.args = {**args, **hidden}
    return masked


def _is_hidden(name: object) -> bool:
    return isinstance(name, str) and verdict(name) == HIDE
