"""Alerts of a service that answers gRPC calls: one for each method."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.rpc import METHOD, SERVER_CALLS, SERVER_DURATION, STATUS
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.quantile import Quantile, quantile_cases, quantile_expr
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.model import Duration, Threshold

ERRORS_HIGH = Defaults("page", Duration.parse("5m"), Decimal("0.05"), "ratio", Duration.parse("5m"))
LATENCY_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal(1), "s", Duration.parse("5m"))

#: Status codes that are the server's own failure; the others are the caller's, or no failure.
SERVER_ERRORS = ("DATA_LOSS", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNKNOWN")
_MIN_BAD_CALLS = 3
_STORY_METHOD = "shop.Orders/Place"


def error_ratio_high(kit: Kit) -> Draft:
    """Return GrpcErrorRatioHigh: a method fails its callers."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(SERVER_CALLS.id)
    method, status = names.label(SERVER_CALLS.id, METHOD.name), names.label(SERVER_CALLS.id, STATUS.name)
    failed = names.selector(metric, f'{status}=~"{"|".join(SERVER_ERRORS)}"')
    every = names.selector(metric)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        own = {"instance": instance, method: _STORY_METHOD}
        return (
            # The caller's own mistakes are good events of the server.
            Sample(metric, {**own, status: "NOT_FOUND"}, counter(good(story))),
            Sample(metric, {**own, status: "INTERNAL"}, counter(bad(story))),
        )

    return Draft(
        name="GrpcErrorRatioHigh",
        expr=share_of_bad(
            total(events(kit, failed), method),
            total(events(kit, every), method),
            _MIN_BAD_CALLS,
            f"{line:f}",
        ),
        signals=(SERVER_CALLS.id,),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the calls of {window} to a method fail"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of {{{{ $labels.{method} }}}} fail"
        ),
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the calls of {{{{ $labels.{method} }}}} on "
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) in the last {window} ended with a status that "
            f"is the server's fault; the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(
            kit, write, share_value, line=line, floor=_MIN_BAD_CALLS, shows={method: _STORY_METHOD}
        ),
        window=window,
        omits=OMITS,
    )


def latency_p99_high(kit: Kit) -> Draft:
    """Return GrpcLatencyP99High: one call in a hundred of a method takes too long."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    method = names.label(SERVER_DURATION.id, METHOD.name)
    what = Quantile(
        "GrpcLatencyP99High",
        SERVER_DURATION,
        Decimal("0.99"),
        _MIN_BAD_CALLS,
        by=(method,),
        sample={method: _STORY_METHOD},
    )
    return Draft(
        name=what.alert,
        expr=quantile_expr(kit, what),
        signals=(SERVER_DURATION.id,),
        threshold=Threshold(
            line, "s", ">", f"1 % of the calls of {window} to a method take longer than {words(line, 's')}"
        ),
        summary=f"{{{{ $labels.service }}}}: p99 of {{{{ $labels.{method} }}}} is {{{{ $value | humanizeDuration }}}}",
        description=(
            f"One in a hundred calls of {{{{ $labels.{method} }}}} on {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) took longer than {{{{ $value | humanizeDuration }}}} in the last {window}; "
            f"the alert watches for more than {words(line, 's')}."
        ),
        cases=quantile_cases(kit, what),
        window=window,
        omits=OMITS,
    )
