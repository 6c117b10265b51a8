"""Runbooks of database operations that are slow or fail."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.db import COLLECTION, ERROR_TYPE, OPERATION, OPERATION_DURATION, SLOW_QUERIES, SYSTEM
from obs.generate.derive.guidance.investigation import (
    error_lines,
    escalate,
    recent_change,
    roll_back,
    stays_below,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, seconds, spell
from obs.generate.derive.guidance.references import ROLL_BACK
from obs.generate.model import Action, Alert, Runbook, Step

#: What each PostgreSQL session does at the moment, the longest first.
SESSIONS = (
    'psql --command "select pid, state, wait_event_type, now() - query_start as runs_for, left(query, 80) '
    "from pg_stat_activity where state <> 'idle' order by query_start limit 20\""
)


def latency_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DbQueryLatencyP95High: a database answers slowly."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, system = seconds(alert.threshold.value), ask.label(OPERATION_DURATION, SYSTEM.name)
    p95 = ask.quantile("0.95", OPERATION_DURATION, window, system)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"One operation in twenty of {name} on a database takes longer than {line}, counted over {spell(window)} and "
            "measured in the service: the network and the wait in a proxy are part of it, the wait for a connection is not."
        ),
        impact=(
            "Whatever reads or writes gets slower by the same amount, several times where it asks several times. "
            "Connections are lent out longer, so pools run empty next."
        ),
        diagnosis=_slow(ask, window, p95),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="DbPoolWaiting fires as well or several services report the same database",
        ),
        verification=(stays_below("The 95th percentile", line, p95, 1),),
    )


def slow_queries(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DbSlowQueries: some operations are very slow, whatever the others do."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    by = ask.by(SLOW_QUERIES, SYSTEM.name, OPERATION.name, COLLECTION.name)
    count = f"sum {by} (increase({ask.series(SLOW_QUERIES)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {alert.threshold.value:f} operations of {name} on a database took longer than its setting "
            f"slow_query within {spell(window)}. Quantiles may not show it: a few very slow ones hide among many quick ones."
        ),
        impact=(
            "Somebody waits for each of them. They hold locks and connections for that time, and one of them that locks "
            "a table makes all others slow."
        ),
        diagnosis=_slow(ask, window, f"topk(5, {count})"),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the slow operations block others",
        ),
        verification=(
            stays_below("The number of slow operations", f"{alert.threshold.value:f}", count, 1),
        ),
    )  # fmt: skip


def error_ratio_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DbQueryErrorRatioHigh: a database refuses or cannot be reached."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, system = percent(alert.threshold.value), ask.label(OPERATION_DURATION, SYSTEM.name)
    done = f"rate({ask.series(OPERATION_DURATION, part='_count')}[{window}])"
    failed = f"rate({ask.series(OPERATION_DURATION, (ERROR_TYPE.name, '!=', ''), part='_count')}[{window}])"
    kinds = ask.by(OPERATION_DURATION, SYSTEM.name, ERROR_TYPE.name, OPERATION.name)
    share = f"sum by ({system}) ({failed}) / sum by ({system}) ({done})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} of the operations of {name} on a database have failed over {spell(window)}: the database "
            "cannot be reached, refuses the session, or refuses the statement."
        ),
        impact=(
            "Requests and jobs that need it fail. Writes that were acknowledged are safe; those under way may or may not "
            "have happened, so whoever repeats them must be able to do so."
        ),
        diagnosis=(
            Step(
                "See which product fails, with which error and for which operations.",
                (share, f"topk(5, sum {kinds} ({failed}))"),
                (
                    ("connection or operational errors", "it is down, failing over or unreachable: step 2."),
                    ("integrity, data or syntax errors", "a release sends statements that it refuses: step 3."),
                    ("errors about permissions", "a role or password changed: Mitigation 3."),
                    ("deadlocks or serialisation failures", "two kinds of work collide: step 4."),
                ),
            ),
            Step(
                "Ask the database itself, from the machine of the service.",
                outcomes=(
                    ("it answers that it accepts connections", "the sessions are refused: read its log; step 4."),
                    ("no response", "it is down or the network is: Mitigation 2, and call its owner at once."),
                    ("it rejects connections", "it is starting or recovering: expect it back within a minute."),
                ),
                commands=('pg_isready --host "${PGHOST:?set it to the host of the pool}" --timeout 5',),
            ),
            recent_change(ask, 4),
            Step(
                "Read the errors in the service's log, and what sessions do at the moment.",
                outcomes=(
                    ("one statement repeats", f"its text names the code to repair; if it is new, {ROLL_BACK}."),
                    ("sessions wait for locks", "end the session that holds them, the longest one first."),
                ),
                logs=(error_lines(ask),),
                commands=(SESSIONS,),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            Action(
                "The primary is lost: promote the replica, with the procedure of the database's owner.",
                "writes work again; pools reconnect by themselves within seconds of the name pointing to it.",
                "under 1 minute where failover is automatic, else 5 minutes.",
            ),
            Action(
                "A credential or role changed: put back the old one, or give the service the new one and restart it.",
                "sessions are accepted again.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the database does not answer, or data may be lost",
        ),
        verification=(stays_below("The share of failed operations", line, share, 1),),
    )  # fmt: skip


def _slow(ask: Queries, window: str, first: str) -> tuple[Step, ...]:
    """Steps from "operations are slow" to the statement, the lock or the machine."""
    labels = [ask.label(OPERATION_DURATION, name) for name in (OPERATION.name, COLLECTION.name)]
    done = f"rate({ask.series(OPERATION_DURATION, part='_count')}[{window}])"
    return (
        Step(
            "See which database is slow, and how slow.",
            (first,),
            (
                ("one product stands out", "go on with step 2."),
                ("all are slow at once", "the service's own machine or network is short of something: step 3."),
            ),
        ),
        Step(
            "Find the operations and tables: the slowest, and the most frequent.",
            (
                f"topk(5, {ask.quantile('0.95', OPERATION_DURATION, window, *labels)})",
                f"topk(5, sum by ({', '.join(labels)}) ({done}))",
            ),
            (
                ("one table is slow", "a plan changed or an index is missing: step 4 shows the statement."),
                ("everything is slow alike", "the database is short of CPU, memory or disk: step 4, then its owner."),
                ("one operation is far more frequent than it was", "a loop or a lost cache asks too often: step 3."),
            ),
        ),
        recent_change(ask, 4),
        Step(
            "Look at what sessions do, and at the slow statements in the log.",
            outcomes=(
                ("sessions wait for a lock", "end the session that holds it, the longest one first: Mitigation 2."),
                ("one statement runs again and again", "take its plan (explain analyse) to the owner: Mitigation 3."),
                ("a backup, vacuum or migration runs", "pause it until traffic is low."),
            ),
            logs=(f'{ask.stream()} |= "slow"',),
            commands=(SESSIONS,),
        ),
    )  # fmt: skip


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        Action(
            "One session blocks the others: end it with pg_terminate_backend and its process id.",
            "the others go on at once; the work of that session is rolled back.",
            "1 minute.",
        ),
        Action(
            "One statement is at fault: switch off the feature that sends it, or create the index without locking.",
            "the load falls with the next request, or when the index is complete.",
            "1 minute to switch off; an index takes minutes to hours.",
        ),
    )
