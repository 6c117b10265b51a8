"""The alert on an event loop that is held up."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.event_loop import LAG
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories import level
from obs.generate.derive.stories.level import level_cases, near
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

LAG_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal("0.25"), "s")


def lag_high(kit: Kit) -> Draft:
    """Return EventLoopLagHigh: work that is ready waits for the loop."""
    names, line = kit.names, kit.settings.threshold
    metric = names.metric(LAG.id)

    def write(track: level.Track) -> tuple[Sample, ...]:
        return (Sample(metric, {}, gauge(track)),)

    above, below, low = near(line)
    return Draft(
        name="EventLoopLagHigh",
        expr=f"max by ({BY}, instance) ({names.selector(metric)}) > {line:f}",
        signals=(LAG.id,),
        threshold=Threshold(line, "s", ">", f"the event loop is late by more than {words(line, 's')}"),
        summary=(
            "{{ $labels.service }}: the event loop of {{ $labels.instance }} is late by {{ $value | humanizeDuration }}"
        ),
        description=(
            "Work that is ready in {{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) waits "
            "{{ $value | humanizeDuration }} for the event loop, because something else holds it; "
            f"the alert watches for more than {words(line, 's')}."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows={"instance": "one"}),
        window=Duration(0),
    )
