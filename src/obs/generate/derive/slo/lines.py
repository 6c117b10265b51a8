"""Lines of investigation for what burns a budget: one for each kind of trouble, steps counted from where it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from obs.catalogue.http import SERVER_DURATION, SERVER_REQUESTS
from obs.generate.derive.guidance.investigation import (
    error_lines,
    failing_requests,
    recent_change,
    slow_requests,
)
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.slo.events import group_labels, last_minute
from obs.generate.derive.slo.matchers import matching
from obs.generate.derive.slo.series import ALL_MINUTE, BAD_MINUTE, series
from obs.generate.derive.vocabulary import BY
from obs.generate.model import FreshnessSli, LatencySli, RatioSli, Slo, Step

_WINDOW = "5m"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of trouble: what it is called, and the steps that lead to its cause."""

    trouble: str
    steps: Callable[[Sequence[Slo], Queries, int], tuple[Step, ...]]


def _failing(_slos: Sequence[Slo], ask: Queries, start: int) -> tuple[Step, ...]:
    return failing_requests(ask, _WINDOW, start=start)


def _slow(_slos: Sequence[Slo], ask: Queries, start: int) -> tuple[Step, ...]:
    return slow_requests(ask, _WINDOW, start=start)


def _stale(slos: Sequence[Slo], ask: Queries, start: int) -> tuple[Step, ...]:
    ages = []
    for slo in slos:
        if isinstance(slo.sli, FreshnessSli):
            names = ask.names
            newest = names.selector(
                names.metric(slo.sli.signal), *matching(slo.sli.signal, slo.sli.where, names)
            )
            ages.append(f"time() - max by ({', '.join([BY, *group_labels(slo, names)])}) ({newest})")
    return (
        Step(
            "See how old it is now, in seconds.",
            tuple(ages),
            (
                ("it was renewed just now", f"it was late once: look in step {start + 1} for what delayed it."),
                ("it grows older and older", f"what renews it does not run or does not succeed; go on with step {start + 1}."),
                ("the answer is empty", "whoever renews it is gone: follow TargetDown or SliMetricAbsent of this service."),
            ),
        ),
        recent_change(ask, start + 2),
        _read_errors(ask),
    )  # fmt: skip


def _bad(slos: Sequence[Slo], ask: Queries, start: int) -> tuple[Step, ...]:
    """Follow events of a kind that only their own service knows."""
    counts = [
        f"sum_over_time({series(name, ask.service, slo)}[1h])"
        for slo in slos
        for name in (BAD_MINUTE, ALL_MINUTE)
    ]
    raw = [last_minute(slo, ask.names, ask.service.scrape_interval).bad for slo in slos]
    return (
        Step(
            "See how many events of the last hour were bad, and how many there were.",
            tuple(counts),
            (
                ("many are bad", f"go on with step {start + 1}."),
                (
                    "few are bad, of few",
                    "a quiet hour weighs little in the period: watch whether it goes on.",
                ),
            ),
        ),
        Step(
            "See the bad events of the last minute, as the objective counts them; take its sum away to see whose they are.",
            tuple(raw),
            (
                ("one instance stands out", "take it out of rotation (Mitigation 2)."),
                ("all are alike", f"something they share is broken; go on with step {start + 2}."),
            ),
        ),
        recent_change(ask, start + 3),
        _read_errors(ask),
    )


def _read_errors(ask: Queries) -> Step:
    return Step(
        "Read the errors of the service, the newest first.",
        outcomes=(
            ("the same message repeats", "its stack or its fields name what to repair or roll back."),
            ("there are none", "what it waits for is at fault: ask its owner, with the times at hand."),
        ),
        logs=(error_lines(ask),),
    )


FAILING = Trouble("requests fail", _failing)
SLOW = Trouble("requests are slow", _slow)
STALE = Trouble("it is not renewed in time", _stale)
BAD = Trouble("its events are bad", _bad)
KINDS = (FAILING, BAD, STALE, SLOW)


def kind_of(slo: Slo) -> Trouble:
    """Return the kind of trouble that burns the budget of `slo`."""
    sli = slo.sli
    if isinstance(sli, FreshnessSli):
        return STALE
    if isinstance(sli, RatioSli) and sli.total == SERVER_REQUESTS.id:
        return FAILING
    return SLOW if isinstance(sli, LatencySli) and sli.signal == SERVER_DURATION.id else BAD


def kept(slo: Slo, share: str) -> str:
    """Return what is promised, in words."""
    sli = slo.sli
    if isinstance(sli, FreshnessSli):
        return f"for {share} of the time the newest {sli.signal} is at most {sli.under.words} old"
    if isinstance(sli, LatencySli):
        what = "requests" if sli.signal == SERVER_DURATION.id else f"events of {sli.signal}"
        return f"{share} of {what} take at most {sli.under.words}"
    if isinstance(sli, RatioSli) and sli.total != SERVER_REQUESTS.id:
        return f"{share} of the events of {sli.total} are good"
    return f"{share} of requests succeed" if isinstance(sli, RatioSli) else f"{share} of its events are good"
