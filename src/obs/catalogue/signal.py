"""What a signal is: typed, frozen values that the runtime emits and the generator queries.

A signal is named by a dotted id (``http.server.duration``) everywhere in obs. Its metric names are
written once, here in the catalogue, in two dialects:

``otel``
    OpenTelemetry's stable semantic conventions in Prometheus form, the canonical one.
``classic``
    the names that hand-instrumented Prometheus services have used for years.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Dialect: TypeAlias = Literal["otel", "classic"]
DIALECTS: tuple[Dialect, ...] = ("otel", "classic")

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
#: How far a name may still change, after OpenTelemetry's stability levels.
Stability: TypeAlias = Literal["stable", "candidate", "development"]
#: Who produces the series: our SDK, the scrape itself, a recording rule, an exporter, an engine.
Origin: TypeAlias = Literal["sdk", "target", "rule", "exporter", "engine"]
#: How the gauges of several worker processes of one instance add up to one number: those of the
#: living ones, and for `latest` whatever was set last, by the dead as well.
Across: TypeAlias = Literal["sum", "max", "min", "latest"]

#: Label names that only a target declaration may set; no signal may use them (design, "Identity").
TARGET_LABELS: tuple[str, ...] = ("service", "environment", "instance", "job")

#: Upper bounds, in seconds, advised by OpenTelemetry's HTTP semantic conventions for durations.
SECONDS_BUCKETS: tuple[float, ...] = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Label:
    """One label of a signal.

    `name` is the dotted semantic-convention name; `values` lists every legal value when the set is
    closed. A label without `values` is still `bounded` when the code that sets it cannot invent
    values (a route template); the series cap overflows only the labels that are not bounded.
    """

    name: str
    help: str = ""
    values: tuple[str, ...] = ()
    bounded: bool = True
    #: Name in the classic dialect; empty when the dots simply become underscores there too.
    classic: str = ""

    def named(self, dialect: Dialect = "otel") -> str:
        """Return the Prometheus label name in `dialect`."""
        if dialect == "classic" and self.classic:
            return self.classic
        return self.name.replace(".", "_")


@dataclass(frozen=True, slots=True)
class Signal:
    """What is common to every metric signal; use `Counter`, `Gauge` or `Histogram`."""

    kind: ClassVar[Kind]

    id: str
    #: Full Prometheus name in the otel dialect, unit and `_total` suffix included.
    metric: str
    help: str
    #: UCUM-like unit: ``s``, ``By``, ``1`` (a ratio), or a ``{thing}`` that is counted.
    unit: str = "1"
    labels: tuple[Label, ...] = ()
    stability: Stability = "development"
    origin: Origin = "sdk"
    #: Full Prometheus name in the classic dialect; empty when that dialect uses the otel name.
    classic: str = ""

    def named(self, dialect: Dialect = "otel") -> str:
        """Return the Prometheus metric name in `dialect` (of a histogram, without ``_bucket``)."""
        return self.classic if dialect == "classic" and self.classic else self.metric

    def label(self, name: str) -> Label | None:
        """Return the label with the dotted `name`, or None."""
        return next((label for label in self.labels if label.name == name), None)

    def label_names(self, dialect: Dialect = "otel") -> tuple[str, ...]:
        """Return the Prometheus label names in declared order."""
        return tuple(label.named(dialect) for label in self.labels)


@dataclass(frozen=True, slots=True)
class Counter(Signal):
    """A number that only grows, from zero at process start.

    With `counted_by` set, the otel dialect has no series of its own for it: the events are counted
    by that histogram's ``_count`` (OpenTelemetry defines no separate request counter).
    """

    kind: ClassVar[Kind] = "counter"

    counted_by: str = ""


@dataclass(frozen=True, slots=True)
class Gauge(Signal):
    """A number that goes up and down."""

    kind: ClassVar[Kind] = "gauge"

    across: Across = "sum"


@dataclass(frozen=True, slots=True)
class Histogram(Signal):
    """A distribution, with the finite upper bounds of its buckets in ascending order."""

    kind: ClassVar[Kind] = "histogram"

    unit: str = "s"
    buckets: tuple[float, ...] = SECONDS_BUCKETS


@dataclass(frozen=True, slots=True)
class LogField:
    """One field that every JSON log line of obs may carry, under exactly this name."""

    name: str
    help: str
    #: Present on every line, or only where there is something to say.
    always: bool = False
    #: Bounded by the catalogue, so that redaction need not scan its value.
    bounded: bool = False
