"""What a service promises: objectives, and what each of them is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from obs.generate.model.place import Duration, Place

#: How a histogram is stored: with the buckets that its contract declares, or with those that Prometheus chooses.
Buckets: TypeAlias = Literal["classic", "native"]
#: The hole in the PromQL of a `CustomSli`.
WINDOW_HOLE = "{{window}}"
#: Budgets that one grouped objective is expected to have at most, unless its spec says otherwise.
DEFAULT_MAX_GROUPS = 50


@dataclass(frozen=True, slots=True)
class LabelValues:
    """Events whose label (dotted name) has one of `values`; a value may be a class such as ``5xx``."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RatioSli:
    """Bad events over all events of a counter; an event is bad when it matches all of `bad`."""

    total: str
    bad: tuple[LabelValues, ...]


@dataclass(frozen=True, slots=True)
class LatencySli:
    """Events of a histogram that took longer than `under`, in classic buckets a bound that its contract declares."""

    signal: str
    under: Duration
    buckets: Buckets = "classic"


@dataclass(frozen=True, slots=True)
class FreshnessSli:
    """Minutes in which the timestamp in a gauge (seconds since 1970) was older than `under`.

    The newest of the series that match all of `where` counts.
    """

    signal: str
    under: Duration
    where: tuple[LabelValues, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomSli:
    """Bad and all events in PromQL of the author's own, each with `WINDOW_HOLE` where its range stands.

    `good_series` and `bad_series` name series that grow by one with each good and each bad event; the
    tests of the alerts are told with them.
    """

    bad: str
    total: str
    good_series: tuple[str, ...]
    bad_series: tuple[str, ...]
    #: Where `bad` and `total` stand.
    bad_place: Place
    total_place: Place


Sli: TypeAlias = RatioSli | LatencySli | FreshnessSli | CustomSli


@dataclass(frozen=True, slots=True)
class Slo:
    """A service level objective; `objective` is in percent, exact."""

    name: str
    objective: Decimal
    window: Duration
    sli: Sli
    #: Fewer bad events than this alert nobody, however few good ones there are.
    min_bad_events: int
    place: Place
    #: Labels (dotted names) each set of whose values has a budget of its own; names of Prometheus for a `CustomSli`.
    by: tuple[str, ...] = ()
    #: More budgets than this raise an alert: a label with endless values was chosen.
    max_groups: int = DEFAULT_MAX_GROUPS
    #: Events that match any of these do not count, neither as good nor as bad.
    exclusions: tuple[LabelValues, ...] = ()

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad: 0.001 for an objective of 99.9."""
        return (Decimal(100) - self.objective) / 100
