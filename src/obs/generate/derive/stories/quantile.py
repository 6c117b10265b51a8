"""Alerts on a quantile of a histogram: the expression, what bounds allow, and the stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from obs.catalogue import Histogram
from obs.errors import SpecError
from obs.generate.derive.drafts import Case, Kit, Sample, words
from obs.generate.derive.expressions import events, total
from obs.generate.derive.samples import Phase, counter, every, good
from obs.generate.derive.stories.share import share_cases
from obs.generate.derive.vocabulary import le

#: A line that takes more slow events than this to be reached lies too close below a bucket's bound.
_MOST_SLOW = Decimal("0.9")


@dataclass(frozen=True, slots=True)
class Quantile:
    """Which quantile of which histogram an alert watches.

    `by` are the Prometheus labels that are told apart, with `sample` as the values of those of the stories.
    """

    alert: str
    signal: Histogram
    rank: Decimal
    #: Fewest slow events; fewer are no matter.
    floor: int
    by: tuple[str, ...] = ()
    matchers: tuple[str, ...] = ()
    #: Labels of the stories' series, those of `by` among them.
    sample: Mapping[str, str] = field(default_factory=dict)


def quantile_expr(kit: Kit, what: Quantile) -> str:
    """Return the condition: the quantile is over the line, and enough events are slow.

    Raises `SpecError` for a line that the buckets cannot judge.
    """
    names, line = kit.names, kit.settings.threshold
    below, _ = _bucket_of(kit, what)
    bucket, count = names.bucket(what.signal.id), names.count(what.signal.id)
    buckets, fast = names.selector(bucket, *what.matchers), names.selector(bucket, *what.matchers, le(below))
    everything = names.selector(count, *what.matchers)
    slow = f"{total(events(kit, everything), *what.by)} - {total(events(kit, fast), *what.by)}"
    quantile = f"histogram_quantile({what.rank}, {total(events(kit, buckets), *what.by, 'le')})"
    quantile = names.converted(what.signal.id, quantile)
    return f"{quantile} > {line:f} and {slow} >= {what.floor}"


def quantile_cases(kit: Kit, what: Quantile) -> tuple[Case, ...]:
    """Return the cases; raise `SpecError` for a line that lies too close below a bucket's bound."""
    names, line, spare = kit.names, kit.settings.threshold, 1 - what.rank
    below, above = _bucket_of(kit, what)
    # The quantile is interpolated inside the bucket, so the line is reached with this share of slow ones.
    width = Decimal(str(above)) - Decimal(str(below))
    share_at_line = spare / (1 - (line - Decimal(str(below))) / width)
    if share_at_line > _MOST_SLOW:
        least = Decimal(str(above)) - width * spare / _MOST_SLOW
        raise SpecError(
            f"alerts.{what.alert}.threshold: {words(line, 's')} lies too close below the bucket of {above:g} s: "
            "between bounds a quantile is a guess",
            _place(kit, what),
            f"expected at most {least:.3g}" + (f", or {above:g}" if above < _bounds(kit, what)[-1] else ""),
        )
    bucket, count = names.bucket(what.signal.id), names.count(what.signal.id)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        own = {"instance": instance, **what.sample}
        return (
            Sample(bucket, {**own, "le": _bound(below)}, counter(good(story))),
            Sample(bucket, {**own, "le": _bound(above)}, counter(every(story))),
            Sample(bucket, {**own, "le": "+Inf"}, counter(every(story))),
            Sample(count, own, counter(every(story))),
        )

    def value_of(share: Decimal) -> float:
        return float(Decimal(str(below)) + width * (share - spare) / share)

    shows = {name: what.sample[name] for name in what.by}
    return share_cases(kit, write, value_of, line=share_at_line, floor=what.floor, shows=shows)


def _bucket_of(kit: Kit, what: Quantile) -> tuple[float, float]:
    """Return the bounds around the threshold; there must be a bucket above it, or it can never be exceeded."""
    bounds = _bounds(kit, what)
    line = float(kit.settings.threshold)
    above = [bound for bound in bounds if bound > line]
    below = [bound for bound in bounds if bound <= line]
    if above and below:
        return below[-1], above[0]
    id_ = what.signal.id
    why = (
        f"can never be exceeded: the buckets of {id_} end at {bounds[-1]:g} s"
        if not above
        else f"lies below the first bucket of {id_}, {bounds[0]:g} s"
    )
    raise SpecError(
        f"alerts.{what.alert}.threshold: {words(kit.settings.threshold, 's')} {why}",
        _place(kit, what),
        f"expected at least {bounds[0]:g} and less than {bounds[-1]:g}",
    )


def _bounds(kit: Kit, what: Quantile) -> tuple[float, ...]:
    # A service's own contract may declare other bounds than the bundled catalogue.
    signal = kit.names.signal(what.signal.id)
    return tuple(signal.buckets) if isinstance(signal, Histogram) else what.signal.buckets


def _place(kit: Kit, what: Quantile) -> str:
    tuning = kit.service.tunings.get(what.alert)
    return str(tuning.places.get("threshold", tuning.place) if tuning else kit.service.place)


def _bound(bound: float) -> str:
    """Return a bound as our exporter prints it."""
    return str(bound)
