"""Bad events and all events of the last minute, for each kind of SLI.

Whatever the kind, two series come out for each label set: so many events in this minute, and so many
of them bad. Everything else about an SLO is sums and ratios of these two.
"""

from __future__ import annotations

from dataclasses import dataclass

from obs.catalogue.target import UP
from obs.errors import ObsError, SpecError
from obs.generate.derive import promql
from obs.generate.derive.expressions import arrivals, total
from obs.generate.derive.promql import checked
from obs.generate.derive.settings import SCRAPES_IN_WINDOW
from obs.generate.derive.slo.matchers import excluding, matching
from obs.generate.derive.vocabulary import BY, Vocabulary, le
from obs.generate.model import (
    WINDOW_HOLE,
    CustomSli,
    Duration,
    FreshnessSli,
    LatencySli,
    Place,
    RatioSli,
    Slo,
)

_MINUTE = Duration.parse("1m")
#: How long the last timestamp of a worker that is gone still counts at least.
_MEMORY = Duration.parse("1d")


@dataclass(frozen=True, slots=True)
class Events:
    """The two expressions; `bad` has no sample where nothing bad was seen, unless it says so itself."""

    every: str
    bad: str


def group_labels(slo: Slo, names: Vocabulary) -> tuple[str, ...]:
    """Return the labels, as Prometheus calls them, each set of whose values has a budget of its own."""
    if isinstance(slo.sli, CustomSli):
        return slo.by
    signal = slo.sli.total if isinstance(slo.sli, RatioSli) else slo.sli.signal
    return tuple(names.label(signal, label) for label in slo.by)


def signals_of(slo: Slo) -> tuple[str, ...]:
    """Return the ids of the signals that the SLI reads; PromQL of an author's own names none."""
    if isinstance(slo.sli, CustomSli):
        return ()
    return (slo.sli.total if isinstance(slo.sli, RatioSli) else slo.sli.signal,)


def read_metrics(slo: Slo, names: Vocabulary) -> dict[str, frozenset[str]]:
    """Return the metrics that a contract does not list as such, with their labels: a native histogram."""
    sli = slo.sli
    if isinstance(sli, LatencySli) and sli.buckets == "native":
        return {names.metric(sli.signal): frozenset(names.label_names(sli.signal))}
    return {}


def last_minute(slo: Slo, names: Vocabulary, scrape_interval: Duration) -> Events:
    """Return the events of the last minute, summed for each budget; evaluate them once a minute."""
    sli = slo.sli
    labels = group_labels(slo, names)
    if isinstance(sli, RatioSli):
        return _ratio(sli, slo, names, labels)
    if isinstance(sli, LatencySli):
        return (_native if sli.buckets == "native" else _latency)(sli, slo, names, labels)
    if isinstance(sli, FreshnessSli):
        return _freshness(sli, names, labels)
    return _custom(sli, names, labels, scrape_interval)


def custom_window(scrape_interval: Duration) -> Duration:
    """Return what stands for the hole in PromQL of an author's own: whole minutes that hold enough scrapes."""
    least = scrape_interval * SCRAPES_IN_WINDOW
    return _MINUTE * max(1, -(-least.milliseconds // _MINUTE.milliseconds))


def memory(sli: FreshnessSli) -> Duration:
    """Return how long a timestamp is remembered after its series is gone: it goes on to age."""
    return max(sli.under * 2, _MEMORY)


def _up(names: Vocabulary) -> str:
    return names.selector(names.metric(UP.id))


def _ratio(sli: RatioSli, slo: Slo, names: Vocabulary, labels: tuple[str, ...]) -> Events:
    metric = names.metric(sli.total)
    counted = excluding(sli.total, slo.exclusions, names)
    bad = (*matching(sli.total, sli.bad, names), *counted)
    return Events(
        total(arrivals(names.selector(metric, *counted), _up(names)), *labels),
        total(arrivals(names.selector(metric, *bad), _up(names)), *labels),
    )


def _latency(sli: LatencySli, slo: Slo, names: Vocabulary, labels: tuple[str, ...]) -> Events:
    counted = excluding(sli.signal, slo.exclusions, names)
    every = total(arrivals(names.selector(names.count(sli.signal), *counted), _up(names)), *labels)
    bound = le(float(sli.under.seconds))
    fast = total(arrivals(names.selector(names.bucket(sli.signal), *counted, bound), _up(names)), *labels)
    return Events(every, f"{every} - {fast}")


def _native(sli: LatencySli, slo: Slo, names: Vocabulary, labels: tuple[str, ...]) -> Events:
    """Subtract whole histograms: `increase` would scale what it saw, and miss what a birth brings."""
    now = names.selector(names.metric(sli.signal), *excluding(sli.signal, slo.exclusions, names))
    before = f"last_over_time({now}[30m] offset 1m)"
    grown = f"(({now} - {before}) and histogram_count({now}) >= histogram_count({before}))"
    known = f"({now} and on ({BY}) last_over_time({_up(names)}[30m] offset 2m))"
    new = f"sum by ({', '.join([BY, *labels])}) ({grown} or {known})"
    every = f"histogram_count({new})"
    mapped = names.mapping.get(sli.signal)
    bound = sli.under.seconds * (mapped.scale if mapped is not None else 1)
    # Without any event the fraction is NaN, which no comparison lets through.
    slow = f"{every} * (1 - histogram_fraction(0, {bound.normalize():f}, {new})) >= 0"
    return Events(every, f"({slow})")


def _freshness(sli: FreshnessSli, names: Vocabulary, labels: tuple[str, ...]) -> Events:
    """Judge each minute as one event; a time of 0 says that there is none yet."""
    by = ", ".join([BY, *labels])
    selector = names.selector(names.metric(sli.signal), *matching(sli.signal, sli.where, names))
    newest = f"(max by ({by}) (max_over_time({selector}[{memory(sli)}])) != 0)"
    age = f"time() - {names.converted(sli.signal, newest)}"
    return Events(f"group by ({by}) ({newest})", f"({age} > bool {sli.under.seconds.normalize():f})")


def _custom(sli: CustomSli, names: Vocabulary, labels: tuple[str, ...], scrape: Duration) -> Events:
    """Count over a window that holds enough scrapes, and take a minute's share of it."""
    window = custom_window(scrape)
    minutes = window.milliseconds // _MINUTE.milliseconds
    share = f" / {minutes}" if minutes > 1 else ""

    def written(text: str, place: Place) -> str:
        try:
            narrowed = promql.scoped(text.replace(WINDOW_HOLE, str(window)), names.matchers)
            expr = promql.kept_with(narrowed, "environment", beside="service")
            checked(expr, names)
        except ObsError as error:
            raise SpecError(error.message, str(place), error.hint) from None
        lost = [label for label in (*BY.split(", "), *labels) if not promql.keeps(expr, label)]
        if lost:
            raise SpecError(
                f"the result has no label {lost[0]!r}, which tells whose budget it is",
                str(place),
                f"aggregate by ({', '.join([BY, *labels])})",
            )
        return f"({total(f'({expr})', *labels)}{share} >= 0)"

    return Events(written(sli.total, sli.total_place), written(sli.bad, sli.bad_place))
