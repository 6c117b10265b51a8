"""The one way in which an exception is reported: a line with its stack, a count, an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from obs.catalogue import exceptions as signals
from obs.runtime import guard, live, logger, recording
from obs.runtime.instruments import counter
from obs.runtime.logged import is_counted, is_logged, mark_counted, mark_logged
from obs.runtime.redaction import clean, plain_text

Mechanism: TypeAlias = Literal[
    "main", "thread", "asyncio", "unraisable", "http", "rpc", "job", "task", "manual"
]

UNHANDLED = counter(signals.UNHANDLED)


def unhandled(error: BaseException, mechanism: Mechanism, message: str, /, **fields: Any) -> None:
    """Report an exception that the host did not handle; never raises.

    It gets one line with its stack and one count, however many layers it passes.
    """
    try:
        if not is_counted(error):
            mark_counted(error)
            UNHANDLED.series((mechanism,)).inc()
            show(error, mechanism, fields)
        _log(error, message, fields)
    except Exception as failure:
        guard.report("crashes", failure)


def show(error: BaseException, mechanism: Mechanism, fields: Mapping[str, Any]) -> None:
    """Show an error event to a test that captures."""
    recorder = recording.recorder()
    if recorder is None:
        return
    trace_id, span_id, _ = live.span_ids()
    own = {
        "type": type(error).__qualname__,
        "message": plain_text(error),
        "mechanism": mechanism,
        "handled": mechanism == "manual",
        "trace_id": trace_id,
        "span_id": span_id,
    }
    recorder.error({**clean(fields), **own})


def _log(error: BaseException, message: str, fields: dict[str, Any]) -> None:
    if not is_logged(error):
        logger.log.error(message, **{**fields, "exc_info": error})
        mark_logged(error)
