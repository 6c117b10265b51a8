"""Which exceptions have been told already: a leaf, so that no layer repeats what a deeper one said.

An exception passes several layers on its way out (a task, a middleware, a server, a hook of the
interpreter), each of which would otherwise log the same stack. What is remembered holds for one
trace: an exception object that is raised again in another request is news.
"""

from __future__ import annotations

from typing import Any

from obs.runtime import live

_LOGGED = "_obs_logged"
_COUNTED = "_obs_counted"
_SENT = "_obs_sent"
#: Past a `__setattr__` or `__dict__` of the host's, which may refuse: frozen dataclasses do.
_slots: Any = BaseException.__dict__["__dict__"]


def mark_logged(error: BaseException) -> None:
    """Remember that `error` has its line."""
    _remember(error, _LOGGED, "yes")


def is_logged(error: BaseException) -> bool:
    """Tell whether `error` has its line."""
    return bool(_recall(error, _LOGGED))


def mark_counted(error: BaseException) -> None:
    """Remember that `error` was counted as unhandled."""
    _remember(error, _COUNTED, "yes")


def is_counted(error: BaseException) -> bool:
    """Tell whether `error` was counted as unhandled."""
    return bool(_recall(error, _COUNTED))


def mark_sent(error: BaseException, event_id: str) -> None:
    """Remember under which id `error` was sent to the error tracker."""
    _remember(error, _SENT, event_id)


def event_of(error: BaseException) -> str:
    """Return the id under which `error` was sent, empty text when it was not."""
    return _recall(error, _SENT)


def _remember(error: BaseException, name: str, value: str) -> None:
    _slots.__get__(error)[name] = (live.span_ids()[0], value)


def _recall(error: BaseException, name: str) -> str:
    found = _slots.__get__(error).get(name)
    if not isinstance(found, tuple):
        return ""
    trace_id, value = found
    now = live.span_ids()[0]
    return "" if trace_id and now and trace_id != now else str(value)
