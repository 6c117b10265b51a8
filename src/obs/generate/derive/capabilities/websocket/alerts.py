"""The alert on websocket connections that end badly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.websocket import CONNECTIONS, RESULT
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.model import Duration, Threshold

FAILURES_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal("0.05"), "ratio", Duration.parse("15m"))

_MIN_FAILED = 3


def failure_ratio_high(kit: Kit) -> Draft:
    """Return WebsocketFailureRatioHigh: connections end because the service failed."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric, result = names.metric(CONNECTIONS.id), names.label(CONNECTIONS.id, RESULT.name)
    failed = total(events(kit, names.selector(metric, f'{result}="failed"')))
    every = total(events(kit, names.selector(metric)))

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        return (
            Sample(metric, {"instance": instance, result: "closed"}, counter(good(story))),
            Sample(metric, {"instance": instance, result: "failed"}, counter(bad(story))),
        )

    return Draft(
        name="WebsocketFailureRatioHigh",
        expr=share_of_bad(failed, every, _MIN_FAILED, f"{line:f}"),
        signals=(CONNECTIONS.id,),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the connections of {window} fail"
        ),
        summary="{{ $labels.service }}: {{ $value | humanizePercentage }} of websocket connections fail",
        description=(
            "{{ $value | humanizePercentage }} of the websocket connections of {{ $labels.service }} "
            f"({{{{ $labels.environment }}}}) that ended in the last {window} ended because the service failed; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(kit, write, share_value, line=line, floor=_MIN_FAILED),
        window=window,
        omits=OMITS,
    )
