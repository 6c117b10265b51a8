"""Typed readers for the nodes of a spec: each says what it got, what it expected, and where."""

from obs.generate.spec.names import JOB_NAME, NAME, key_name, label, label_name, metric_name, name, url
from obs.generate.spec.plain import choice, got, lines, mapping, reason, refuse, required, text, texts
from obs.generate.spec.quantities import date, duration, integer, number

__all__ = [
    "JOB_NAME", "NAME", "choice", "date", "duration", "got", "integer", "key_name", "label", "label_name",
    "lines", "mapping", "metric_name", "name", "number", "reason", "refuse", "required", "text", "texts", "url",
]  # fmt: skip
