"""Alerts on what a service asks of its databases: one for each product."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue import cache
from obs.catalogue.db import ERROR_TYPE, OPERATION_DURATION, SLOW_QUERIES, SYSTEM
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.derive.stories.quantile import Quantile, quantile_cases, quantile_expr
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.model import Duration, Service, Threshold

LATENCY_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal("0.1"), "s", Duration.parse("5m"))
ERRORS_HIGH = Defaults("page", Duration.parse("5m"), Decimal("0.05"), "ratio", Duration.parse("5m"))
SLOW = Defaults("ticket", Duration(0), Decimal(10), "", Duration.parse("10m"))

_MIN_BAD = 3
_STORY_SYSTEM = "postgresql"


def latency_p95_high(kit: Kit) -> Draft:
    """Return DbQueryLatencyP95High: one operation in twenty takes too long."""
    window, line = kit.settings.window, kit.settings.threshold
    system = kit.names.label(OPERATION_DURATION.id, SYSTEM.name)
    what = Quantile(
        "DbQueryLatencyP95High",
        OPERATION_DURATION,
        Decimal("0.95"),
        _MIN_BAD,
        by=(system,),
        matchers=databases(kit.service, system),
        sample={system: _STORY_SYSTEM},
    )
    return Draft(
        name=what.alert,
        expr=quantile_expr(kit, what),
        signals=(OPERATION_DURATION.id,),
        threshold=Threshold(
            line, "s", ">", f"5 % of the operations of {window} take longer than {words(line, 's')}"
        ),
        summary=f"{{{{ $labels.service }}}}: p95 of {{{{ $labels.{system} }}}} is {{{{ $value | humanizeDuration }}}}",
        description=(
            f"One in twenty operations of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) on "
            f"{{{{ $labels.{system} }}}} took longer than {{{{ $value | humanizeDuration }}}} in the last {window}; "
            f"the alert watches for more than {words(line, 's')}."
        ),
        cases=quantile_cases(kit, what),
        window=window,
        omits=OMITS,
    )


def error_ratio_high(kit: Kit) -> Draft:
    """Return DbQueryErrorRatioHigh: operations on a database fail."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.count(OPERATION_DURATION.id)
    system = names.label(OPERATION_DURATION.id, SYSTEM.name)
    error = names.label(OPERATION_DURATION.id, ERROR_TYPE.name)
    only = databases(kit.service, system)
    failed = total(events(kit, names.selector(metric, *only, f'{error}!=""')), system)
    every = total(events(kit, names.selector(metric, *only)), system)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        own = {"instance": instance, system: _STORY_SYSTEM}
        return (
            Sample(metric, own, counter(good(story))),
            Sample(metric, {**own, error: "OperationalError"}, counter(bad(story))),
        )

    return Draft(
        name="DbQueryErrorRatioHigh",
        expr=share_of_bad(failed, every, _MIN_BAD, f"{line:f}"),
        signals=(OPERATION_DURATION.id,),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the operations of {window} fail"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of operations on "
            f"{{{{ $labels.{system} }}}} fail"
        ),
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the operations of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) on {{{{ $labels.{system} }}}} in the last {window} failed; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(kit, write, share_value, line=line, floor=_MIN_BAD, shows={system: _STORY_SYSTEM}),
        window=window,
        omits=OMITS,
    )


def slow_queries(kit: Kit) -> Draft:
    """Return DbSlowQueries: operations beyond the setting slow_query are no exception any more."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric, system = names.metric(SLOW_QUERIES.id), names.label(SLOW_QUERIES.id, SYSTEM.name)
    only = databases(kit.service, system)
    shows = {system: _STORY_SYSTEM}
    return Draft(
        name="DbSlowQueries",
        expr=f"{total(events(kit, names.selector(metric, *only)), system)} > {line:f}",
        signals=(SLOW_QUERIES.id,),
        threshold=Threshold(line, "1", ">", f"more than {words(line, '')} slow operations in {window}"),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} slow operations on {{{{ $labels.{system} }}}}"
        ),
        description=(
            f"{{{{ $value | humanize }}}} operations of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) on "
            f"{{{{ $labels.{system} }}}} in the last {window} took longer than the service's setting slow_query; "
            f"the alert watches for more than {words(line, '')}."
        ),
        cases=count_cases(kit, single(metric, shows), line=line, shows=shows),
        window=window,
    )


def databases(service: Service, system: str) -> tuple[str, ...]:
    """Return the matchers that leave out caches, where the capability `cache` watches them."""
    return (f'{system}!~"{"|".join(cache.SYSTEMS)}"',) if "cache" in service.capabilities else ()
