"""Metrics as plain data: how the metrics pillar hands them to whoever sends them, knowing neither's library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from obs.catalogue.signal import Kind


class Mark(NamedTuple):
    """The span behind one event, ids in hexadecimal; `at` in seconds since the epoch."""

    trace_id: str
    span_id: str
    value: float
    at: float


class Point(NamedTuple):
    """One series: a number, of a histogram the sum, since `since` (seconds since the epoch, 0 unknown)."""

    labels: Mapping[str, str]
    value: float
    since: float = 0.0
    #: Observations in each bucket of a histogram alone, the infinite one last.
    buckets: tuple[float, ...] = ()
    marks: tuple[Mark, ...] = ()


class Measured(NamedTuple):
    """One metric with its series, under the name that a scrape would show (a counter's `_total` included)."""

    name: str
    kind: Kind
    help: str
    points: tuple[Point, ...]
    #: Upper bounds of a histogram's buckets, the infinite one left out.
    bounds: tuple[float, ...] = ()
