"""What `/metrics` tells about operations of redis-py."""

from __future__ import annotations

import asyncio
from typing import Any

from prometheus_client.openmetrics import parser

from obs.runtime import endpoints

Series = dict[tuple[str, ...], float]

# Untyped in prometheus_client.
_parse: Any = parser.text_string_to_metric_families


def values(name: str, *labels: str) -> Series:
    """Return the samples called `name` by the values of `labels`."""
    answer = asyncio.run(endpoints.answer("metrics", "application/openmetrics-text;version=1.0.0", ""))
    return {
        tuple(sample.labels[key] for key in labels): sample.value
        for family in _parse(answer.body.decode())
        for sample in family.samples
        if sample.name == name
    }


def counts() -> Series:
    """Return how many operations there were, by their name and error."""
    return values("db_client_operation_duration_seconds_count", "db_operation_name", "error_type")


def found() -> tuple[Series, Series]:
    """Return hits and misses by the name of the operation."""
    return values("cache_hits_total", "db_operation_name"), values("cache_misses_total", "db_operation_name")
