"""Alerts of a service that answers HTTP requests."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.http import SERVER_ACTIVE, SERVER_DURATION, SERVER_REQUESTS, STATUS
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, gauge, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories import level
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.derive.stories.level import level_cases, near
from obs.generate.derive.stories.quantile import Quantile, quantile_cases, quantile_expr
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.derive.vocabulary import matcher
from obs.generate.model import Duration, Threshold

#: Three failed requests are no accident; one may be.
MIN_BAD_EVENTS = 3

ERRORS_HIGH = Defaults("page", Duration.parse("5m"), Decimal("0.05"), "ratio", Duration.parse("5m"))
ERRORS_ELEVATED = Defaults("ticket", Duration.parse("15m"), Decimal("0.01"), "ratio", Duration.parse("15m"))
LATENCY_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal(1), "s", Duration.parse("5m"))
IN_FLIGHT = Defaults("ticket", Duration.parse("5m"), Decimal(200))
DENIED = Defaults("ticket", Duration.parse("15m"), Decimal(600), "", Duration.parse("10m"))


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
            total(events(kit, failed)), total(events(kit, every_request)), MIN_BAD_EVENTS, f"{line:f}"
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
        omits=OMITS,
    )


def latency_p99_high(kit: Kit) -> Draft:
    """Return HttpLatencyP99High: one request in a hundred takes too long."""
    window, line = kit.settings.window, kit.settings.threshold
    what = Quantile("HttpLatencyP99High", SERVER_DURATION, Decimal("0.99"), MIN_BAD_EVENTS)
    return Draft(
        name=what.alert,
        expr=quantile_expr(kit, what),
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
        cases=quantile_cases(kit, what),
        window=window,
        omits=OMITS,
    )


def in_flight_saturated(kit: Kit) -> Draft:
    """Return HttpInFlightSaturated: an instance works on more requests at once than it can."""
    names, line = kit.names, kit.settings.threshold
    metric = names.metric(SERVER_ACTIVE.id)
    method = names.label(SERVER_ACTIVE.id, "http.request.method")

    def write(track: level.Track) -> tuple[Sample, ...]:
        """Write an instance with three quarters of its requests of one method."""
        return tuple(
            Sample(
                metric,
                {method: name},
                gauge([(steps, None if value is None else value * part) for steps, value in track]),
            )
            for name, part in (("GET", Decimal("0.75")), ("POST", Decimal("0.25")))
        )

    above, below, low = near(line)
    return Draft(
        name="HttpInFlightSaturated",
        expr=f"{total(names.selector(metric), 'instance')} > {line:f}",
        signals=(SERVER_ACTIVE.id,),
        threshold=Threshold(line, "1", ">", f"more than {words(line, '')} requests at once in one instance"),
        summary="{{ $labels.service }}: {{ $labels.instance }} has {{ $value | humanize }} requests in flight",
        description=(
            "{{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) is answering "
            f"{{{{ $value | humanize }}}} HTTP requests at once; the alert watches for more than {words(line, '')}."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows={"instance": "one"}),
        window=Duration(0),
    )


def privilege_denied(kit: Kit) -> Draft:
    """Return PrivilegeDeniedSpike: somebody tries what they may not, or a release took rights away."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric, status = names.metric(SERVER_REQUESTS.id), names.label(SERVER_REQUESTS.id, STATUS.name)
    denied = names.selector(metric, matcher(status, "403"))
    return Draft(
        name="PrivilegeDeniedSpike",
        expr=f"{total(events(kit, denied))} > {line:f}",
        signals=(SERVER_REQUESTS.id,),
        threshold=Threshold(line, "1", ">", f"more than {words(line, '')} requests of {window} are denied"),
        summary="{{ $labels.service }}: {{ $value | humanize }} requests were denied",
        description=(
            "{{ $value | humanize }} HTTP requests to {{ $labels.service }} ({{ $labels.environment }}) in the last "
            f"{window} were answered with 403; the alert watches for more than {words(line, '')}."
        ),
        cases=count_cases(kit, single(metric, {status: "403"}, {status: "200"}), line=line),
        window=window,
    )
