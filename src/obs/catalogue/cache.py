"""Caches: how often a lookup found something. Their commands are database operations (`db`)."""

from __future__ import annotations

from obs.catalogue.db import OPERATION
from obs.catalogue.signal import Counter

HITS = Counter(
    id="cache.hits",
    metric="cache_hits_total",
    classic="redis_cache_hits_total",
    help="Keys looked up in a cache and found.",
    unit="{key}",
    labels=(OPERATION,),
)
MISSES = Counter(
    id="cache.misses",
    metric="cache_misses_total",
    classic="redis_cache_misses_total",
    help="Keys looked up in a cache and not found.",
    unit="{key}",
    labels=(OPERATION,),
)

SIGNALS = (HITS, MISSES)
