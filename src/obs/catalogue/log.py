"""Logs: how many lines of which level, and the fields of a JSON line."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Label, LogField

LEVELS = ("debug", "info", "warning", "error", "critical")
LEVEL = Label("level", "Severity of the line.", LEVELS)

RECORDS = Counter(
    id="log.records",
    metric="log_records_total",
    classic="log_messages_total",
    help="Log lines written.",
    unit="{line}",
    labels=(LEVEL,),
)

SIGNALS = (RECORDS,)

FIELDS = (
    LogField("timestamp", "UTC time, RFC 3339 with microseconds.", always=True, bounded=True),
    LogField("level", "Severity: one of " + ", ".join(LEVELS) + ".", always=True, bounded=True),
    LogField("service", "Name of the service.", always=True, bounded=True),
    LogField("version", "Version of the service.", bounded=True),
    LogField("environment", "Deployment environment.", bounded=True),
    LogField("message", "What happened, for a person.", always=True),
    LogField("trace_id", "W3C trace id, 32 hexadecimal digits.", bounded=True),
    LogField("span_id", "W3C span id, 16 hexadecimal digits.", bounded=True),
    LogField("request_id", "Correlation id of the request.", bounded=True),
    LogField("logger", "Name of the logger, when it has one.", bounded=True),
    LogField("code_file_path", "File that the line comes from, on request.", bounded=True),
    LogField("code_line_number", "Line in that file.", bounded=True),
    LogField("code_function_name", "Function that the line comes from.", bounded=True),
    LogField(
        "repeated", "How many more lines like this one were left out in the second before.", bounded=True
    ),
    LogField("truncated", "True when fields were cut because the line was too long.", bounded=True),
    LogField("exception", "Stack of the error, multi-line text in one value."),
)
