"""Alerts of a service that looks things up in a cache."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.cache import HITS, MISSES, SYSTEMS
from obs.catalogue.db import ERROR_TYPE, OPERATION_DURATION, SYSTEM
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.model import Duration, Threshold

HIT_RATIO_LOW = Defaults("ticket", Duration.parse("30m"), Decimal("0.7"), "ratio", Duration.parse("15m"))
ERRORS = Defaults("page", Duration.parse("5m"), Decimal("0.05"), "ratio", Duration.parse("5m"))

#: A cache that is hardly used may miss as often as it likes.
_MIN_MISSES = 100
_MIN_FAILED = 3
_STORY_SYSTEM = "redis"


def hit_ratio_low(kit: Kit) -> Draft:
    """Return CacheHitRatioLow: too many lookups find nothing.

    A cache that was emptied has no hits at all, and perhaps no series of them: that is a ratio of zero.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    hits, misses = names.metric(HITS.id), names.metric(MISSES.id)
    missed = total(events(kit, names.selector(misses)))
    found = total(events(kit, names.selector(hits)))
    found = f"({found} or 0 * {missed})"

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        return (
            Sample(hits, {"instance": instance}, counter(good(story))),
            Sample(misses, {"instance": instance}, counter(bad(story))),
        )

    return Draft(
        name="CacheHitRatioLow",
        expr=f"{found} / ({found} + ({missed} >= {_MIN_MISSES})) < {line:f}",
        signals=(HITS.id, MISSES.id),
        threshold=Threshold(
            line, "ratio", "<", f"fewer than {words(line, 'ratio')} of the lookups of {window} find something"
        ),
        summary="{{ $labels.service }}: {{ $value | humanizePercentage }} of cache lookups find something",
        description=(
            "{{ $value | humanizePercentage }} of the keys that {{ $labels.service }} ({{ $labels.environment }}) looked "
            f"up in its cache in the last {window} were there; the alert watches for less than {words(line, 'ratio')}."
        ),
        cases=(
            *share_cases(kit, write, lambda share: float(1 - share), line=1 - line, floor=_MIN_MISSES),
            _never_a_hit(kit, misses),
        ),
        window=window,
        omits=OMITS,
    )


def _never_a_hit(kit: Kit, misses: str) -> Case:
    end = 2 * kit.window_steps + kit.for_steps + 1
    track = [(end + 1, Decimal(_MIN_MISSES))]
    sample = Sample(misses, {"instance": "one"}, counter(track))
    return Case("fires", "there is no series of hits", (sample,), (Fact(end, "firing"),))


def errors(kit: Kit) -> Draft:
    """Return CacheErrors: commands to a cache fail."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.count(OPERATION_DURATION.id)
    system = names.label(OPERATION_DURATION.id, SYSTEM.name)
    error = names.label(OPERATION_DURATION.id, ERROR_TYPE.name)
    caches = f'{system}=~"{"|".join(SYSTEMS)}"'
    failed = total(events(kit, names.selector(metric, caches, f'{error}!=""')), system)
    every = total(events(kit, names.selector(metric, caches)), system)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        own = {"instance": instance, system: _STORY_SYSTEM}
        return (
            Sample(metric, own, counter(good(story))),
            Sample(metric, {**own, error: "ConnectionError"}, counter(bad(story))),
        )

    return Draft(
        name="CacheErrors",
        expr=share_of_bad(failed, every, _MIN_FAILED, f"{line:f}"),
        signals=(OPERATION_DURATION.id,),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the cache commands of {window} fail"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of commands to "
            f"{{{{ $labels.{system} }}}} fail"
        ),
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the commands of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) to its cache {{{{ $labels.{system} }}}} in the last {window} failed; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(
            kit, write, share_value, line=line, floor=_MIN_FAILED, shows={system: _STORY_SYSTEM}
        ),
        window=window,
        omits=OMITS,
    )
