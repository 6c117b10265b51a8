"""Lines that obs writes itself, by the event that names them, and the fields that they carry.

A field of a line is structured metadata in Loki: the collector takes the JSON apart, keeps the message
as the line, and puts every other field beside it under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass

from obs.catalogue.log import FIELDS
from obs.catalogue.signal import LogField

#: The field that names what a line is about.
EVENT = LogField("event", "What the line is about, such as http.request.", bounded=True)


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event with the fields that its line carries beside those of every line."""

    name: str
    help: str
    fields: tuple[LogField, ...] = ()


DURATION = LogField("duration", "How long it took, in seconds.", bounded=True)
REQUEST = LogEvent(
    "http.request",
    "An HTTP request was answered.",
    (
        LogField("method", "Method of the request.", bounded=True),
        LogField("route", "Template of the route.", bounded=True),
        LogField("path", "Path of the request."),
        LogField("status", "Status of the response.", bounded=True),
        DURATION,
        LogField("client", "Address of the client."),
    ),
)

#: Events of errors that ended the process, a thread or a task of its loop: nothing handled them.
CRASHES: tuple[LogEvent, ...] = (
    LogEvent("exception.main", "An exception ended the process."),
    LogEvent("exception.thread", "An exception ended a thread."),
    LogEvent("exception.asyncio", "An exception ended a task of the event loop."),
    LogEvent("lifespan", "The application failed at its start or at its end."),
)

#: Which stream a line of audit or security belongs to, and what kind of security event it is.
STREAM = LogField("stream", "audit or security; other lines have none.", bounded=True)
SECURITY = "security"
KIND = LogField("kind", "Kind of the security event, such as login.failed.", bounded=True)

#: What the collector of the stack adds to a line, under the names that Loki gives its attributes.
MASKED = (
    LogField("redaction_masked_count", "How many fields of the line the collector masked."),
    LogField("redaction_body_masked_count", "How many places of the message the collector masked."),
)

#: Every field that a query may ask for.
QUERYABLE: frozenset[str] = frozenset(
    field.name for field in (*FIELDS, EVENT, *REQUEST.fields, STREAM, KIND, *MASKED)
) - {"message"}
