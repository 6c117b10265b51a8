"""Alerts of a service that answers HTTP requests."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue import Histogram
from obs.catalogue.http import SERVER_DURATION, SERVER_REQUESTS, STATUS
from obs.errors import SpecError
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, every, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.share import share_cases, share_value
from obs.generate.derive.vocabulary import le, matcher
from obs.generate.model import Duration, Threshold

#: Three failed requests are no accident; one may be.
MIN_BAD_EVENTS = 3

ERRORS_HIGH = Defaults("page", Duration.parse("5m"), Decimal("0.05"), "ratio", Duration.parse("5m"))
ERRORS_ELEVATED = Defaults("ticket", Duration.parse("15m"), Decimal("0.01"), "ratio", Duration.parse("15m"))
LATENCY_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal(1), "s", Duration.parse("5m"))

_QUANTILE = Decimal("0.99")
#: A line that takes more slow requests than this to be reached lies too close below a bucket's bound.
_MOST_SLOW = Decimal("0.9")


def error_ratio_high(kit: Kit) -> Draft:
    """Return HttpErrorRatioHigh: users see errors now."""
    return _error_ratio("HttpErrorRatioHigh", kit)


def error_ratio_elevated(kit: Kit) -> Draft:
    """Return HttpErrorRatioElevated: fewer errors, but they do not go away."""
    return _error_ratio("HttpErrorRatioElevated", kit)


def _error_ratio(name: str, kit: Kit) -> Draft:
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric, status = names.metric(SERVER_REQUESTS.id), names.label(SERVER_REQUESTS.id, STATUS.name)
    failed = names.selector(metric, matcher(status, "5xx"))
    every_request = names.selector(metric)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        return (
            Sample(metric, {"instance": instance, status: "200"}, counter(good(story))),
            Sample(metric, {"instance": instance, status: "500"}, counter(bad(story))),
        )

    return Draft(
        name=name,
        expr=share_of_bad(
            total(events(failed, window)), total(events(every_request, window)), MIN_BAD_EVENTS, f"{line:f}"
        ),
        signals=(SERVER_REQUESTS.id,),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the requests of {window} fail"
        ),
        summary="{{ $labels.service }}: {{ $value | humanizePercentage }} of requests fail",
        description=(
            "{{ $value | humanizePercentage }} of the HTTP requests to {{ $labels.service }} "
            f"({{{{ $labels.environment }}}}) in the last {window} ended with a status of 500 or above; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(kit, write, share_value, line=line, floor=MIN_BAD_EVENTS),
        window=window,
        omits={"gone": "events of a vanished instance stay in the window, and TargetDown tells of the rest"},
    )


def latency_p99_high(kit: Kit) -> Draft:
    """Return HttpLatencyP99High: one request in a hundred takes too long."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    below, above = _bucket_of(kit)
    bucket, count = names.bucket(SERVER_DURATION.id), names.count(SERVER_DURATION.id)
    buckets, fast = names.selector(bucket), names.selector(bucket, le(below))
    slow = f"{total(events(names.selector(count), window))} - {total(events(fast, window))}"
    quantile = f"histogram_quantile({_QUANTILE}, {total(events(buckets, window), 'le')})"
    # The quantile is interpolated inside the bucket, so the line is reached with this share of slow ones.
    width = Decimal(str(above)) - Decimal(str(below))
    inside = (line - Decimal(str(below))) / width
    share_at_line = (1 - _QUANTILE) / (1 - inside)
    if share_at_line > _MOST_SLOW:
        least = Decimal(str(above)) - width * (1 - _QUANTILE) / _MOST_SLOW
        raise SpecError(
            f"alerts.HttpLatencyP99High.threshold: {words(line, 's')} lies too close below the bucket of {above:g} s: "
            "between bounds a quantile is a guess",
            _place(kit),
            f"expected at most {least:.3g}" + (f", or {above:g}" if _is_inner(kit, above) else ""),
        )

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        def series(bound: str, values: str) -> Sample:
            return Sample(bucket, {"instance": instance, "le": bound}, values)

        return (
            series(_bound(below), counter(good(story))),
            series(_bound(above), counter(every(story))),
            series("+Inf", counter(every(story))),
            Sample(count, {"instance": instance}, counter(every(story))),
        )

    def value_of(share: Decimal) -> float:
        return float(Decimal(str(below)) + width * (share - (1 - _QUANTILE)) / share)

    return Draft(
        name="HttpLatencyP99High",
        expr=f"{quantile} > {line:f} and {slow} >= {MIN_BAD_EVENTS}",
        signals=(SERVER_DURATION.id,),
        threshold=Threshold(
            line, "s", ">", f"1 % of the requests of {window} take longer than {words(line, 's')}"
        ),
        summary="{{ $labels.service }}: p99 latency is {{ $value | humanizeDuration }}",
        description=(
            "One in a hundred HTTP requests to {{ $labels.service }} ({{ $labels.environment }}) took "
            f"longer than {{{{ $value | humanizeDuration }}}} in the last {window}; "
            f"the alert watches for more than {words(line, 's')}."
        ),
        cases=tuple(
            case for case in share_cases(kit, write, value_of, line=share_at_line, floor=MIN_BAD_EVENTS)
        ),
        window=window,
        omits={"gone": "events of a vanished instance stay in the window, and TargetDown tells of the rest"},
    )


def _bucket_of(kit: Kit) -> tuple[float, float]:
    """Return the bounds around the threshold; there must be a bucket above it, or it can never be exceeded."""
    bounds = _bounds(kit)
    line = float(kit.settings.threshold)
    above = [bound for bound in bounds if bound > line]
    below = [bound for bound in bounds if bound <= line]
    if above and below:
        return below[-1], above[0]
    what = f"alerts.HttpLatencyP99High.threshold: {words(kit.settings.threshold, 's')}"
    why = (
        f"can never be exceeded: the buckets of {SERVER_DURATION.id} end at {bounds[-1]:g} s"
        if not above
        else f"lies below the first bucket of {SERVER_DURATION.id}, {bounds[0]:g} s"
    )
    raise SpecError(
        f"{what} {why}", _place(kit), f"expected at least {bounds[0]:g} and less than {bounds[-1]:g}"
    )


def _bounds(kit: Kit) -> tuple[float, ...]:
    signal = kit.names.signals.find(SERVER_DURATION.id)
    return tuple(signal.buckets) if isinstance(signal, Histogram) else ()


def _is_inner(kit: Kit, bound: float) -> bool:
    """Tell whether there is a bucket above `bound`."""
    return bound < _bounds(kit)[-1]


def _place(kit: Kit) -> str:
    tuning = kit.service.tunings.get("HttpLatencyP99High")
    return str(tuning.places.get("threshold", tuning.place) if tuning else kit.service.place)


def _bound(bound: float) -> str:
    """Return a bound as our exporter prints it."""
    return str(bound)
