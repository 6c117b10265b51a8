"""One log line: an event becomes one JSON object and one write to a file descriptor.

Every door (the face's logger, structlog, standard logging, the middleware) ends here, so that
fields, redaction, ids and counting are the same for all of them.
"""

from __future__ import annotations

import os
import select
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from obs.catalogue.log import FIELDS
from obs.runtime import context, live, tally
from obs.runtime.json import dumps
from obs.runtime.redaction import NAME_LIMIT, STACK_LIMIT, clean, plain_text, scrub
from obs.runtime.settings import Settings
from obs.runtime.severity import SEVERITY

Renderer: TypeAlias = Callable[[dict[str, Any]], bytes]

_RESERVED = frozenset(field.name for field in FIELDS)
#: Seconds that a full, non-blocking stream is waited for before the rest of a line is given up.
_PATIENCE = 1.0


class Stream:
    """A file descriptor that gets whole lines, also from a forked child."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._renew()

    def _renew(self) -> None:
        # Re-entrant, because a signal handler may log while this very thread is writing.
        self._lock = threading.RLock()

    def write(self, line: bytes) -> None:
        """Write `line` in one call where the system allows it. Raises OSError."""
        with self._lock:
            done = 0
            while done < len(line):
                try:
                    done += os.write(self.fd, line[done:] if done else line)
                except BlockingIOError:  # noqa: PERF203 - an exception here is the rare case
                    if not select.select([], [self.fd], [], _PATIENCE)[1]:
                        raise


class Pipeline:
    """Renders and writes lines for one set of settings."""

    def __init__(self, settings: Settings, stream: Stream, render: Renderer | None = None) -> None:
        self.threshold = SEVERITY[settings.log_level]
        self._stream = stream
        self._render = render or render_json
        self._service = settings.service
        self._fixed = {
            name: value
            for name, value in (("version", settings.version), ("environment", settings.environment))
            if value
        }

    def emit(
        self,
        level: str,
        message: str,
        fields: Mapping[str, Any],
        *,
        logger: str = "",
        error: BaseException | None = None,
        stack: str = "",
    ) -> None:
        """Write one line. Raises only what the stream raises (OSError)."""
        line: dict[str, Any] = {
            "timestamp": _timestamp(time.time()),
            "level": level,
            "service": self._service,
            **self._fixed,
            "message": plain_text(message),
        }
        trace_id, span_id, _ = live.span_ids()
        if trace_id:
            line["trace_id"], line["span_id"] = trace_id, span_id
        request = context.request_id.get()
        if request:
            line["request_id"] = request
        if logger:
            line["logger"] = plain_text(logger, NAME_LIMIT)
        bound = context.bound.get()
        own = {**bound, **fields} if bound else fields
        if own:
            for name, value in clean(own).items():
                line[f"{name}_" if name in _RESERVED else name] = value
        if error is not None:
            stack = format_stack(error)
        if stack:
            line["exception"] = scrub(stack, STACK_LIMIT)
        tally.add("log_records", level)
        self._stream.write(self._render(line))


def render_json(line: dict[str, Any]) -> bytes:
    """Return the line as JSON, newline included."""
    return dumps(line) + b"\n"


def format_stack(error: BaseException) -> str:
    """Return the stack of `error` as one text; never raises, whatever its `__str__` does."""
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip()
    except Exception:
        return type(error).__qualname__


_second = (0, "")


def _timestamp(now: float) -> str:
    """Return RFC 3339 with microseconds; the part up to the second is made once a second."""
    global _second
    whole = int(now)
    second, text = _second
    if whole != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _second = (whole, text)
    return f"{text}.{int((now - whole) * 1_000_000):06d}Z"
