"""Runbooks of caches that miss, fail or evict."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.cache import EVICTIONS, HITS, MISSES
from obs.catalogue.db import ERROR_TYPE, OPERATION, OPERATION_DURATION, SYSTEM
from obs.generate.derive.capabilities.cache.panels import ON_CACHES
from obs.generate.derive.guidance.investigation import (
    error_lines,
    escalate,
    recent_change,
    roll_back,
    stays_below,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step

_MEMORY = "redis-cli info memory | grep -E 'used_memory_human|maxmemory_human|maxmemory_policy'"
_STATS = "redis-cli info stats | grep -E 'evicted_keys|expired_keys|keyspace'"
#: The eviction alert looks back over a day; what happens now is judged by this.
_NOW = "10m"


def hit_ratio_low(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CacheHitRatioLow: the cache is asked, and has nothing."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    hits, misses = (f"sum by (service) (rate({ask.series(signal)}[{window}]))" for signal in (HITS, MISSES))
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Fewer than {line} of the keys that {name} looked up in its cache over {spell(window)} were there. Each miss "
            "is work for whatever stands behind the cache."
        ),
        impact=(
            "Users see slower answers. The database gets many times the load that it was sized for: at a hit ratio of "
            "95 % a loss of five points doubles it."
        ),
        diagnosis=(
            Step(
                "See how the ratio fell, and whether there are more lookups than before.",
                (f"{hits} / ({hits} + {misses})", f"{hits} + {misses}"),
                (
                    ("it fell within a minute", "the cache was emptied or replaced: step 2."),
                    ("it fell since a release", "keys or their lifetime changed: step 3."),
                    ("it falls slowly", "the cache is too small for what is asked: step 4."),
                    ("there are many more lookups", "somebody asks for what nobody has stored: step 4."),
                ),
            ),
            _restarted(),
            recent_change(ask, 4),
            _room(ask),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the database behind the cache gets slow as well",
        ),
        verification=(
            Step(
                f"The hit ratio stays above {line} for 15 minutes.",
                (f"{hits} / ({hits} + {misses})",),
                (
                    ("it stays above", "it is over: the alert ends by itself at the next evaluation."),
                    ("it climbs slowly", "the cache is being filled: wait for as long as a key lives."),
                ),
            ),
        ),
    )  # fmt: skip


def errors(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CacheErrors: the cache does not answer, or refuses."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, system = percent(alert.threshold.value), ask.label(OPERATION_DURATION, SYSTEM.name)
    done = f"rate({ask.series(OPERATION_DURATION, ON_CACHES, part='_count')}[{window}])"
    failed = f"rate({ask.series(OPERATION_DURATION, ON_CACHES, (ERROR_TYPE.name, '!=', ''), part='_count')}[{window}])"
    kinds = ask.by(OPERATION_DURATION, SYSTEM.name, ERROR_TYPE.name, OPERATION.name)
    share = f"sum by ({system}) ({failed}) / sum by ({system}) ({done})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} of the commands of {name} to its cache have failed over {spell(window)}: the cache is down, "
            "cannot be reached, or refuses commands."
        ),
        impact=(
            "Where the service can do without, each request is a miss and the database carries it. Where sessions, locks "
            "or limits live in the cache, users are signed out or requests fail."
        ),
        diagnosis=(
            Step(
                "See which cache fails, with which error and for which commands.",
                (share, f"topk(5, sum {kinds} ({failed}))"),
                (
                    ("connection errors or timeouts", "it is down or unreachable: step 2."),
                    ("only commands that write fail", "it is a replica or its memory is full: step 4."),
                    ("errors about authentication", "a password changed: Mitigation 1 if it came with a release."),
                ),
            ),
            _restarted(),
            recent_change(ask, 4),
            _room(ask),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="users are signed out or the database gets slow",
        ),
        verification=(stays_below("The share of failed commands", line, share, 1),),
    )  # fmt: skip


def eviction_storm(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CacheEvictionStorm: the cache throws out what is still wanted."""
    alert, name = alerts[0], ask.service.name
    evicted = f"sum by (service) (rate({ask.series(EVICTIONS)}[{_NOW}]))"
    before = f"sum by (service) (rate({ask.series(EVICTIONS)}[{_NOW}] offset 1d))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The cache of {name} drops more than {alert.threshold.value:f} times as many keys to make room as at this time "
            "yesterday: more is stored than fits."
        ),
        impact=(
            "Keys are thrown out before they are asked for again, so the hit ratio falls next and the database gets the "
            "load. Keys that should have lived (sessions, locks) may be among them."
        ),
        diagnosis=(
            Step(
                "Compare evictions a second with yesterday's.",
                (evicted, before),
                (
                    ("they jumped within a minute", "one kind of key is new or grew: step 3."),
                    ("they grew over days", "the cache has become too small: Mitigation 3."),
                ),
            ),
            _restarted(),
            recent_change(ask, 4),
            _room(ask),
        ),
        mitigation=_mitigation(_NOW),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="CacheHitRatioLow fires as well",
        ),
        verification=(stays_below("The number of evictions a second", "twice yesterday's", evicted, 1),),
    )


def _restarted() -> Step:
    return Step(
        "Ask the cache itself how long it has been up, and whether it answers.",
        outcomes=(
            ("it does not answer", "start it: Mitigation 2; it comes back empty unless it writes to disk."),
            (
                "it has been up for minutes only",
                "it restarted and is empty: the ratio recovers as keys return.",
            ),
            ("it has been up for days", "go on with step 3."),
        ),
        commands=("redis-cli --no-auth-warning ping", "redis-cli info server | grep uptime_in_seconds"),
    )


def _room(ask: Queries) -> Step:
    return Step(
        "See how full the cache is, what it does when it is full, and what the service logs about it.",
        outcomes=(
            ("memory is at its limit and keys are evicted", "it is too small: Mitigation 3."),
            ("memory is at its limit and the policy is noeviction", "writes are refused: Mitigation 3."),
            (
                "there is room",
                "keys expire too early or are never stored: compare the code that stores them.",
            ),
        ),
        logs=(error_lines(ask),),
        commands=(_MEMORY, _STATS),
    )


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        Action(
            "The cache is down: start it, and let the service in slowly (half of its instances first) while it is empty.",
            "commands succeed; the database carries the misses until the keys are back.",
            "1 minute to start, and as long as a key lives until it is warm.",
        ),
        Action(
            "The cache is full: raise its memory limit by half, or shorten the lifetime of the largest kind of key.",
            "evictions end at once; hits return as keys are asked for again.",
            "5 minutes.",
        ),
    )
