"""Runbooks of pools that run out of connections."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.db import (
    COLLECTION,
    CONNECTION_TIMEOUTS,
    CONNECTIONS_IN_USE,
    CONNECTIONS_MAX,
    CONNECTIONS_WAITING,
    OPERATION,
    OPERATION_DURATION,
    POOL,
)
from obs.generate.derive.capabilities.database.guide import SESSIONS
from obs.generate.derive.guidance.investigation import (
    error_lines,
    escalate,
    recent_change,
    roll_back,
    stays_below,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step


def nearly_exhausted(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DbPoolNearlyExhausted: soon the next caller has to wait."""
    alert, name = alerts[0], ask.service.name
    line = percent(alert.threshold.value)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An instance of {name} has lent out more than {line} of the connections that one of its pools may open. "
            "Either more work needs the database at once, or connections are held for longer."
        ),
        impact=(
            "Nothing yet: this is the warning. When the pool is empty, callers wait (DbPoolWaiting) and then fail "
            "(DbPoolTimeouts)."
        ),
        diagnosis=_empty_pool(ask, look_back(alert)),
        mitigation=_mitigation(look_back(alert)),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="DbPoolWaiting fires as well",
        ),
        verification=(stays_below("The share of connections lent out", line, _share(ask), 1),),
    )


def waiting(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DbPoolWaiting: the pool is empty."""
    alert, name = alerts[0], ask.service.name
    line, queued = f"{alert.threshold.value:f}", _waiting(ask)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} callers in one instance of {name} wait for a connection of a pool at once: every "
            "connection is lent out and comes back later than it is needed."
        ),
        impact=(
            "Requests and jobs stand still until a connection is free, so latency rises by the wait; after the pool's "
            "time limit they fail."
        ),
        diagnosis=_empty_pool(ask, look_back(alert)),
        mitigation=_mitigation(look_back(alert)),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="callers give up: DbPoolTimeouts fires as well",
        ),
        verification=(stays_below("The number of callers that wait", line, queued, 1),),
    )


def timeouts(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DbPoolTimeouts: callers fail for want of a connection."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    failed = f"sum {ask.by(CONNECTION_TIMEOUTS, POOL.name)} (increase({ask.series(CONNECTION_TIMEOUTS)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Callers in {name} waited for a connection of a pool for as long as they may, and got none. The pool has "
            "been empty for that long, and still is."
        ),
        impact="Each of them is a failed request or run of a job, although the database itself may be well.",
        diagnosis=_empty_pool(ask, window),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="it lasts after Mitigation 2",
        ),
        verification=(stays_below("The number of callers without a connection", "1", failed, 1),),
    )


def _share(ask: Queries) -> str:
    by = f"by (instance, {ask.label(CONNECTIONS_IN_USE, POOL.name)})"
    return f"max {by} ({ask.series(CONNECTIONS_IN_USE)}) / max {by} ({ask.series(CONNECTIONS_MAX)})"


def _waiting(ask: Queries) -> str:
    return (
        f"max by (instance, {ask.label(CONNECTIONS_WAITING, POOL.name)}) ({ask.series(CONNECTIONS_WAITING)})"
    )


def _empty_pool(ask: Queries, window: str) -> tuple[Step, ...]:
    labels = [ask.label(OPERATION_DURATION, name) for name in (OPERATION.name, COLLECTION.name)]
    done = f"sum by (service) (rate({ask.series(OPERATION_DURATION, part='_count')}[{window}]))"
    slow = ask.quantile("0.95", OPERATION_DURATION, window, *labels)
    return (
        Step(
            "See which pool is empty and in which instances, and how many wait.",
            (_share(ask), _waiting(ask)),
            (
                ("one instance", "it leaks connections or gets more than its share of work: Mitigation 2, then step 4."),
                ("all instances", "go on with step 2."),
            ),
        ),
        Step(
            "Compare operations a second with what they were an hour ago, and see which take long.",
            (
                done,
                f"sum by (service) (rate({ask.series(OPERATION_DURATION, part='_count')}[{window}] offset 1h))",
                f"topk(5, {slow})",
            ),
            (
                ("operations got slower", "connections come back late: follow DbQueryLatencyP95High."),
                ("there are more of them", "the load is higher than the pool: Mitigation 3."),
                ("neither", "connections are held without being used; go on with step 3."),
            ),
        ),
        recent_change(ask, 4),
        Step(
            "Look for sessions that are idle in a transaction: code that holds a connection while it does other things.",
            outcomes=(
                ("many are idle in transaction", "their last statement names the code: roll back or repair it."),
                ("sessions wait for a lock", "end the session that holds it, the longest one first."),
                ("there are fewer sessions than the pool lends", "a proxy in between is the limit: raise its own pool."),
            ),
            logs=(error_lines(ask),),
            commands=(SESSIONS,),
        ),
    )  # fmt: skip


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        Action(
            "One instance is at fault: restart it, after saving a stack dump and its log.",
            "its connections are free again; requests in it are finished or lost.",
            "1 minute.",
        ),
        Action(
            "The pool is too small for the load: raise it by half, if the database's own limit leaves room for all instances.",
            "callers stop waiting; the database works on more at once.",
            "5 minutes, with a restart.",
        ),
    )
