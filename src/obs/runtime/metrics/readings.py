"""Read what a scrape says back into numbers: for the test kit, which then knows no format."""

from __future__ import annotations

from typing import Any, NamedTuple

from prometheus_client import parser


class Sample(NamedTuple):
    """One line of a scrape."""

    name: str
    labels: dict[str, str]
    value: float


def read(body: bytes) -> list[Sample]:
    """Return every sample of a scrape in Prometheus's text format."""
    # Untyped in prometheus_client.
    families: Any = parser.text_string_to_metric_families
    return [
        Sample(sample.name, dict(sample.labels), sample.value)
        for family in families(body.decode("utf-8"))
        for sample in family.samples
    ]
