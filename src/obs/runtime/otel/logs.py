"""Log lines as OTLP log records.

They are written as protocol messages directly: the log records of OpenTelemetry's own SDK stand in a
private module and change with its releases, the protocol is stable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from obs._version import __version__
from obs.catalogue.log import LEVELS
from obs.runtime.otel import resource
from obs.runtime.otel.values import pairs
from obs.runtime.settings import Settings

Line = Mapping[str, Any]

#: OpenTelemetry's severity numbers: DEBUG is 5, and each of ours is four further.
_SEVERITY = {level: 5 + 4 * number for number, level in enumerate(LEVELS)}
#: Fields that are the record's own, the scope's or the resource's.
_OWN = frozenset(
    {"timestamp", "level", "message", "service", "version", "environment", "trace_id", "span_id", "logger"}
)
#: Fields that have a name of their own among the semantic conventions.
_CONVENTIONS = {
    "exception": "exception.stacktrace",
    "code_file_path": "code.file.path",
    "code_line_number": "code.line.number",
    "code_function_name": "code.function.name",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class LogCodec:
    """Log lines in the form in which they travel."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def encode(self, batch: Sequence[Line], /) -> bytes:
        """Return the body of a request: one scope a logger, in the order of their first lines."""
        scopes: dict[str, list[LogRecord]] = {}
        for line in batch:
            scopes.setdefault(line.get("logger", ""), []).append(_record(line))
        logs = ResourceLogs(
            resource=Resource(attributes=pairs(resource.attributes(self._settings).items())),
            scope_logs=[
                ScopeLogs(
                    scope=InstrumentationScope(name=name or "obs", version=_version(name)),
                    log_records=records,
                )
                for name, records in scopes.items()
            ],
        )
        return bytes(ExportLogsServiceRequest(resource_logs=[logs]).SerializeToString())

    def refused(self, body: bytes, /) -> int:
        """Return how many records an answer of success says were not taken."""
        return int(ExportLogsServiceResponse.FromString(body).partial_success.rejected_log_records)


def _version(logger: str) -> str:
    # Ours is that of our own logger alone; the host's code has the version of the service.
    return "" if logger else __version__


def _record(line: Line) -> LogRecord:
    nanoseconds = _nanoseconds(line["timestamp"])
    return LogRecord(
        time_unix_nano=nanoseconds,
        observed_time_unix_nano=nanoseconds,
        severity_number=_SEVERITY[line["level"]],  # type: ignore[arg-type]
        severity_text=line["level"].upper(),
        body=AnyValue(string_value=line["message"]),
        attributes=pairs(
            (_CONVENTIONS.get(name, name), value) for name, value in line.items() if name not in _OWN
        ),
        trace_id=bytes.fromhex(line.get("trace_id", "")),
        span_id=bytes.fromhex(line.get("span_id", "")),
    )


def _nanoseconds(timestamp: str) -> int:
    # Not by strptime, whose lock a child inherits as it is. Python 3.10 does not know the Z.
    moment = datetime.fromisoformat(timestamp[:-1]).replace(tzinfo=timezone.utc)
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
