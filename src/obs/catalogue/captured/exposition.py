"""Read the text form of `/metrics`: which metrics there are, of which type, with which labels.

Only what a contract needs is kept: no value, no time, and none of the help, which is its author's own
text. The form is that of the Prometheus exposition format, version 0.0.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TYPE = re.compile(r"# TYPE (\S+) (\S+)\s*\Z")
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? +[-+]?(?:\d|\.\d|inf|nan)", re.IGNORECASE)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
#: Suffixes of the series of a family, by its type.
_PARTS = {
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
}
#: Last word of a name -> unit, where the name tells one.
_UNITS = {"seconds": "s", "bytes": "By", "ratio": "1"}


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its type as Prometheus calls it, its labels, and the finite bounds of its buckets."""

    name: str
    type: str
    unit: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


def families(text: str) -> tuple[Family, ...]:
    """Return the families of one answer of `/metrics`, ordered by name.

    A sample without a type is a family of type ``untyped``; lines that are no samples are left out.
    """
    types: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    bounds: dict[str, set[float]] = {}
    for line in text.splitlines():
        declared = _TYPE.match(line)
        if declared:
            types[declared[1]] = declared[2]
            labels.setdefault(declared[1], set())
            continue
        sample = None if line.startswith("#") else _SAMPLE.match(line)
        if sample is None:
            continue
        family = _family(sample[1], types)
        seen = dict(_pairs(sample[2] or ""))
        for bound in (seen.pop("le", None), seen.pop("quantile", None)):
            if bound not in (None, "+Inf") and types.get(family) == "histogram":
                bounds.setdefault(family, set()).add(float(bound))
        labels.setdefault(family, set()).update(name for name, value in seen.items() if value)
    return tuple(
        Family(
            name,
            types.get(name, "untyped"),
            _unit(name),
            tuple(sorted(labels[name])),
            tuple(sorted(bounds.get(name, ()))),
        )
        for name in sorted(labels)
    )


def samples(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the series of one answer of `/metrics` with their labels, in order; no value and no time."""
    for line in text.splitlines():
        sample = None if line.startswith("#") else _SAMPLE.match(line)
        if sample is not None:
            yield sample[1], dict(_pairs(sample[2] or ""))


def _family(series: str, types: dict[str, str]) -> str:
    for suffix in ("_bucket", "_count", "_sum"):
        base = series.removesuffix(suffix)
        if base != series and suffix in _PARTS.get(types.get(base, ""), ()):
            return base
    return series


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for found in _LABEL.finditer(text):
        yield found[1], found[2]


def _unit(name: str) -> str:
    return _UNITS.get(name.removesuffix("_total").rpartition("_")[2], "")
