"""The servers' own access lines, and the lines of ours that take their place.

A leaf: an integration says that it writes a line a request, standard logging's loggers ask.
"""

from __future__ import annotations

import logging

#: Loggers that write nothing but access lines.
_PURE = ("uvicorn.access", "gunicorn.access", "hypercorn.access")
#: Loggers that write other things too.
_MIXED = ("werkzeug", "django.server")

_replaced = False


def replace() -> None:
    """Say that our middleware writes one line a request: the server's own ones end."""
    global _replaced
    _replaced = True


def replaced() -> bool:
    """Tell whether our middleware writes the access lines of this process."""
    return _replaced


def restore() -> None:
    """Let the servers write their own again."""
    global _replaced
    _replaced = False


class Filter(logging.Filter):
    """Refuses a server's access line where ours takes its place."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether `record` is to be written."""
        return not _replaced or not _is_access(record)


def install() -> Filter:
    """Put a filter on the loggers of the servers, those that are still to come included."""
    refuse = Filter()
    for name in (*_PURE, *_MIXED):
        logging.getLogger(name).addFilter(refuse)
    return refuse


def remove(refuse: Filter) -> None:
    """Take the filter away."""
    for name in (*_PURE, *_MIXED):
        logging.getLogger(name).removeFilter(refuse)


def _is_access(record: logging.LogRecord) -> bool:
    if record.name == "django.server":
        # Errors of the development server have no request.
        return hasattr(record, "server_time")
    # Werkzeug gives no other sign than the shape of the common log format.
    return record.name != "werkzeug" or (isinstance(record.msg, str) and " - - [" in record.msg)
