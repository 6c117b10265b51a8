"""The alert on a cache that suddenly drops keys to make room, compared with the same hour yesterday."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.cache import EVICTIONS
from obs.generate.derive.drafts import Draft, Kit, words
from obs.generate.derive.expressions import total
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.drop import HOUR
from obs.generate.derive.stories.rise import rise_cases
from obs.generate.model import Duration, Threshold

STORM = Defaults("ticket", Duration.parse("15m"), Decimal(10), "", Duration.parse("10m"))
_DAY = Duration.parse("1d")
#: Fewer evictions a second than this are the ordinary life of a cache.
LEAST_NOW = Decimal(10)
#: How far the expression looks back.
LOOK_BACK = _DAY + HOUR


def eviction_storm(kit: Kit) -> Draft:
    """Return CacheEvictionStorm: many times yesterday's evictions.

    A cache that was not there yesterday, or evicted nothing then, is judged by `LEAST_NOW` alone.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(EVICTIONS.id)
    evictions = names.selector(metric)
    now = total(f"rate({evictions}[{window}])")
    past = total(f"rate({evictions}[{HOUR}] offset {_DAY})")
    return Draft(
        name="CacheEvictionStorm",
        expr=f"{now} > {LEAST_NOW} and {now} > {line:f} * ({past} or 0 * {now})",
        signals=(EVICTIONS.id,),
        threshold=Threshold(
            line, "1", ">", f"more than {words(line, '')} times the evictions of the same hour yesterday"
        ),
        summary="{{ $labels.service }}: its cache drops {{ $value | humanize }} keys a second",
        description=(
            "The cache of {{ $labels.service }} ({{ $labels.environment }}) dropped {{ $value | humanize }} keys a second "
            f"in the last {window} to make room; the alert watches for more than {words(line, '')} times the figure of "
            f"the same hour yesterday, and more than {LEAST_NOW} a second."
        ),
        cases=rise_cases(kit, metric, line, LEAST_NOW, _DAY),
        window=LOOK_BACK,
    )
