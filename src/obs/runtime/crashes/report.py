"""The one way in which an exception is reported: a line with its stack, a count, an event."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias

from obs.catalogue import exceptions as signals
from obs.errors import ConfigError
from obs.runtime import context, guard, live, logger, recording
from obs.runtime.instruments import counter
from obs.runtime.logged import event_of, is_counted, is_logged, mark_counted, mark_logged, mark_sent
from obs.runtime.redaction import clean, plain_text

Mechanism: TypeAlias = Literal[
    "main", "thread", "asyncio", "unraisable", "http", "rpc", "job", "task", "manual"
]


class Send(Protocol):
    """What takes an exception to an error tracker; `obs.runtime.crashes.sentry` has the real one."""

    def __call__(
        self,
        error: BaseException,
        mechanism: Mechanism,
        fields: Mapping[str, Any],
        tags: Mapping[str, Any],
        /,
    ) -> str | None:
        """Send `error`; return the id of its event, None when it was not taken."""


UNHANDLED = counter(signals.UNHANDLED)
_send: Send | None = None
#: In the place of an event's id where a test was shown the event and nothing was sent.
_SHOWN = "shown"


def send_to(send: Send | None) -> None:
    """Send every exception to `send` as well; None sends nothing."""
    global _send
    _send = send


def unhandled(error: BaseException, mechanism: Mechanism, message: str, /, **fields: Any) -> None:
    """Report an exception that the host did not handle; never raises.

    It gets one line with its stack, one count and one event, however many layers it passes.
    """
    try:
        if not is_counted(error):
            mark_counted(error)
            UNHANDLED.series((mechanism,)).inc()
        _log(error, message, fields)
        _deliver(error, mechanism, fields, {})
    except Exception as failure:
        guard.report("crashes", failure)


def capture(error: BaseException | None = None, /, **tags: Any) -> str | None:
    """Report an exception that was handled, by default the one being handled; never raises.

    It gets a line at level error with its stack and `tags`, once. Return the id of the event that was
    sent; None when no error tracker is set up, or it took nothing.
    """
    try:
        given: object = sys.exc_info()[1] if error is None else error
        if not isinstance(given, BaseException):
            # Said once a place, by the guard: a handler of errors is no place to raise another one.
            raise ConfigError(  # noqa: TRY301
                f"capture: got {type(given).__name__}, expected an exception",
                hint="call it inside of an except block, or obs.capture(error)",
            )
        _log(given, "handled exception", {"event": "exception.captured", **tags})
        return _deliver(given, "manual", {}, tags)
    except Exception as failure:
        guard.report("crashes", failure)
        return None


def _log(error: BaseException, message: str, fields: Mapping[str, Any]) -> None:
    if not is_logged(error):
        logger.log.error(message, **{**fields, "exc_info": error})
        mark_logged(error)


def _deliver(
    error: BaseException, mechanism: Mechanism, fields: Mapping[str, Any], tags: Mapping[str, Any]
) -> str | None:
    known = event_of(error)
    if known:
        return known if known != _SHOWN else None
    recorder = recording.recorder()
    if recorder is not None:
        mark_sent(error, _SHOWN)
        recorder.error(_event(error, mechanism, fields, tags))
    if _send is None:
        return None
    event_id = _send(error, mechanism, {**context.bound.get(), **fields}, tags)
    if event_id:
        mark_sent(error, event_id)
    return event_id


def _event(
    error: BaseException, mechanism: Mechanism, fields: Mapping[str, Any], tags: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a test is shown of an error event."""
    trace_id, span_id, _ = live.span_ids()
    return {
        "type": type(error).__qualname__,
        "message": plain_text(error),
        "mechanism": mechanism,
        "handled": mechanism == "manual",
        "trace_id": trace_id,
        "span_id": span_id,
        "request_id": context.request_id.get(),
        **clean({**context.bound.get(), **fields, **tags}),
    }
