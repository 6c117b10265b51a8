"""Panels of caches: hits, errors, latency and evictions."""

from __future__ import annotations

from obs.catalogue.cache import EVICTIONS, HITS, MISSES, SYSTEMS
from obs.catalogue.db import ERROR_TYPE, OPERATION_DURATION, SYSTEM
from obs.generate.derive.graphs import QUANTILES, RATE, legend, series
from obs.generate.derive.guidance.queries import Match, Queries
from obs.generate.model import Panel, Query, Row

#: Operations on products that are used as caches.
ON_CACHES: Match = (SYSTEM.name, "=~", "|".join(SYSTEMS))


def row(ask: Queries) -> Row:
    """Return what the service gets from its cache."""
    system = ask.label(OPERATION_DURATION, SYSTEM.name)
    done = f"rate({ask.series(OPERATION_DURATION, ON_CACHES, part='_count')}[{RATE}])"
    failed = f"rate({ask.series(OPERATION_DURATION, ON_CACHES, (ERROR_TYPE.name, '!=', ''), part='_count')}[{RATE}])"
    hits, misses = (f"sum (rate({ask.series(signal)}[{RATE}]))" for signal in (HITS, MISSES))
    buckets = f"sum by (le) (rate({ask.series(OPERATION_DURATION, ON_CACHES, part='_bucket')}[{RATE}]))"
    return Row(
        "Cache",
        (
            series("cache-hits", "Hit ratio", "Share of the keys looked up that were there.", "percentunit",
                   f"{hits} / ({hits} + {misses})", "hits"),
            series("cache-errors", "Error ratio of cache commands", "Share of the commands to each cache that failed.",
                   "percentunit",
                   f"(sum by ({system}) ({failed}) or 0 * sum by ({system}) ({done})) / sum by ({system}) ({done})",
                   legend(system)),
            Panel(
                key="cache-latency",
                title="Latency of cache commands",
                description="Duration of commands: the median, and what one in twenty and one in a hundred exceed.",
                unit="s",
                kind="timeseries",
                queries=tuple(Query(f"histogram_quantile({rank}, {buckets})", name) for rank, name in QUANTILES),
            ),
            series("cache-evictions", "Evictions", "Keys a second that the cache dropped to make room.", "ops",
                   f"sum (rate({ask.series(EVICTIONS)}[{RATE}]))", "evictions"),
        ),
    )  # fmt: skip
