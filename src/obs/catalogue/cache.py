"""Caches: how often a lookup found something. Their commands are database operations (`db`)."""

from __future__ import annotations

from obs.catalogue.db import OPERATION
from obs.catalogue.signal import Counter

#: Products that are used as caches, values of the label db.system.name.
SYSTEMS = ("memcached", "redis", "valkey")

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
EVICTIONS = Counter(
    id="cache.evictions",
    metric="cache_evictions_total",
    classic="redis_cache_evictions_total",
    help="Keys that a cache dropped to make room.",
    unit="{key}",
)

SIGNALS = (HITS, MISSES, EVICTIONS)
