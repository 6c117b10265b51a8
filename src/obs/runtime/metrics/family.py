"""One metric: its names, the layout of its series in cells, and the beginnings of its lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from prometheus_client.utils import INF, floatToGoString

from obs.catalogue import Gauge, Histogram, Signal
from obs.catalogue.signal import Across, Dialect, Kind

#: Value that replaces those of unbounded labels once a metric has reached its cap, and any value
#: that is not among the declared ones of a closed label.
OVERFLOW = "overflow"
Values: TypeAlias = tuple[str, ...]
#: What stands before the numbers of one series, one text a line it takes in a scrape.
Starts: TypeAlias = tuple[str, ...]
#: Writes a number as both formats want it; prometheus_client's own is untyped.
write_number: Callable[[float], str] = floatToGoString


class Exemplar(NamedTuple):
    """The span behind one event: ids in hexadecimal, what it added, when in seconds since the epoch."""

    trace_id: str
    span_id: str
    value: float
    at: float


class Row(NamedTuple):
    """One series: its label values, the beginnings of its lines, and the first of its cells."""

    values: Values
    starts: Starts
    at: int


class Definition(NamedTuple):
    """What another process must know of a metric to add its own series to ours; plain JSON."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    #: Upper bounds of a histogram's buckets, the infinite one left out.
    buckets: tuple[float, ...] = ()
    across: Across = "sum"
    #: Positions of the labels that overflow, and how many series there may be.
    open: tuple[int, ...] = ()
    cap: int = 0

    def overflowed(self, values: Values) -> Values:
        """Return `values` with `OVERFLOW` for those of the labels that overflow."""
        return tuple(OVERFLOW if index in self.open else value for index, value in enumerate(values))

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return self._asdict()

    @classmethod
    def read(cls, data: dict[str, Any]) -> Definition:
        """Return what `plain` wrote."""
        fields: dict[str, Any] = {
            key: tuple(item) if isinstance(item, list) else item for key, item in data.items()
        }
        return cls(**fields)


def define(signal: Signal, dialect: Dialect, cap: int) -> Definition:
    """Return the definition of `signal`, under its name in `dialect` without a counter's `_total`."""
    name = signal.named(dialect)
    return Definition(
        name.removesuffix("_total") if signal.kind == "counter" else name,
        signal.kind,
        signal.help or signal.id,
        signal.label_names(dialect),
        signal.buckets if isinstance(signal, Histogram) else (),
        signal.across if isinstance(signal, Gauge) else "sum",
        tuple(index for index, label in enumerate(signal.labels) if not label.bounded),
        cap,
    )


#: Cells before the buckets of a histogram: the sum, and when it was created. A counter has its value
#: and when it was created; a gauge its value and when it was set, where its way of adding up asks.
HEAD = 2


class Family:
    """A definition with what is derived from it once."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.bounds: tuple[float, ...] = (*definition.buckets, INF) if definition.kind == "histogram" else ()
        self.le = tuple(write_number(bound) for bound in self.bounds)
        #: Cells a series takes.
        self.width = HEAD + len(self.bounds)

    def starts(self, values: Values) -> Starts:
        """Return what stands before each number of the series with `values`; whoever shows them keeps it."""
        name = self.definition.name
        pairs = sorted(
            (label, f'{label}="{escape(value)}"')
            for label, value in zip(self.definition.labels, values, strict=True)
        )
        labels = ",".join(text for _, text in pairs)
        braces = f"{{{labels}}} " if labels else " "
        if self.definition.kind == "counter":
            return f"{name}_total{braces}", f"{name}_created{braces}"
        if self.definition.kind == "gauge":
            return (f"{name}{braces}",)
        before = "".join(f"{text}," for label, text in pairs if label < "le")
        after = "".join(f",{text}" for label, text in pairs if label > "le")
        return (
            f'{name}_bucket{{{before}le="',
            f'"{after}}} ',
            f"{name}_count{braces}",
            f"{name}_sum{braces}",
            f"{name}_created{braces}",
        )


def escape(text: str) -> str:
    """Return a label value as both formats write it between quotes."""
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
