"""Runbooks of the HTTP alerts."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.http import SERVER_ACTIVE, SERVER_REQUESTS, STATUS
from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import (
    escalate,
    failing_requests,
    recent_change,
    roll_back,
    slow_requests,
    stays_below,
    take_out,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, seconds, spell
from obs.generate.model import Action, Alert, Runbook, Step

#: The alert looks back over a day; what happens now is judged by this.
_NOW = "10m"


def error_ratio_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """HttpErrorRatioHigh: users feel it now."""
    alert, name = alerts[0], ask.service.name
    line = percent(alert.threshold.value)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} answers more than {line} of its requests with a server error (a status from 500 to 599), "
            f"counted over {alert.window.words}. Errors of the caller (400 to 499) are not counted, and neither are "
            "health checks: these are legal requests that the service failed."
        ),
        impact=(
            f"At least one request in {int(1 / alert.threshold.value)} fails for users now. What they were doing "
            "is lost or half done, clients retry and add load, and the month's error budget shrinks quickly."
        ),
        diagnosis=failing_requests(ask, look_back(alert)),
        mitigation=_errors(look_back(alert)),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="more than half of all requests fail, or money or data is at risk",
        ),
        verification=(_error_ratio_is_over(alert, ask),),
    )


def error_ratio_elevated(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """HttpErrorRatioElevated: a small leak that lasts."""
    alert, name = alerts[0], ask.service.name
    line = percent(alert.threshold.value)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} has answered more than {line} of its requests with a server error (500 to 599) over "
            f"{alert.window.words}. It is not an outage: one route, one instance or one dependency fails some of the time."
        ),
        impact=(
            "A few users see failures, often the same ones again and again: those of one route, one region or one "
            "kind of account. Left alone it eats the error budget that a release may need."
        ),
        diagnosis=failing_requests(ask, look_back(alert)),
        mitigation=_errors(look_back(alert)),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="HttpErrorRatioHigh fires as well",
        ),
        verification=(_error_ratio_is_over(alert, ask),),
    )


def latency_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """HttpLatencyP99High: the slowest hundredth waits too long."""
    alert, name = alerts[0], ask.service.name
    line = seconds(alert.threshold.value)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"One request in a hundred to {name} takes longer than {line}, counted over {alert.window.words}. The figure is "
            "read from the buckets of a histogram, so it is exact only near a bucket's bound."
        ),
        impact=(
            "Pages feel slow to some users, and callers with a timeout near this figure start to fail and to retry. "
            "Slow requests hold connections and memory, so slowness that lasts turns into errors."
        ),
        diagnosis=slow_requests(ask, look_back(alert)),
        mitigation=slow(look_back(alert)),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="errors rise too, or the median is slow as well as the 99th percentile",
        ),
        verification=(
            Step(
                f"The 99th percentile stays below {line} for {alert.window.words}.",
                (ask.latency("0.99", look_back(alert), "service"),),
                (
                    ("it stays below", "the alert ends by itself at the next evaluation."),
                    (
                        "it falls only while traffic is low",
                        "the cause is still there: go on with Diagnosis 3.",
                    ),
                ),
            ),
        ),
    )


def traffic_dropped(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """HttpTrafficDropped: users cannot reach the service, or have stopped wanting to."""
    alert, name, window = alerts[0], ask.service.name, _NOW
    now = f"sum by (service) ({ask.requests(window)})"
    yesterday = f"sum by (service) ({ask.requests(window, offset='1d')})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} receives less than {percent(alert.threshold.value)} of the requests that it received at this "
            "time yesterday. Either requests no longer reach it, or nobody sends them."
        ),
        impact=(
            "When requests are lost on the way, every lost one is a user who sees an error page that this service "
            "never hears of: its own error ratio looks perfect meanwhile."
        ),
        diagnosis=(
            Step(
                "Compare now with yesterday: is it a cliff or a slope?",
                (now, yesterday),
                (
                    ("traffic fell within a minute", "something on the way broke; go on with step 2."),
                    (
                        "traffic fell slowly",
                        (
                            "demand fell, or clients give up: compare with the calendar (a holiday today or an event "
                            "yesterday is a false alarm), then step 4."
                        ),
                    ),
                ),
            ),
            Step(
                "See whether all instances are there and scraped.",
                (ask.series(UP), f"count by (service) ({ask.series(UP)} == 1)"),
                (
                    ("instances are down", "follow TargetDown of this service first."),
                    ("all are up", "the break is in front of the service; go on with step 3."),
                ),
            ),
            Step(
                "See which routes lost their traffic.",
                (f"sum by ({ask.route}) ({ask.requests(window)})",),
                (
                    (
                        "all routes did",
                        (
                            "look at DNS, the certificate, the load balancer and the firewall, in this order: request "
                            "the public address from outside and read where it stops."
                        ),
                    ),
                    (
                        "one route did",
                        "its caller changed or broke: ask the team of the client; then step 4.",
                    ),
                ),
            ),
            recent_change(ask, 5),
            Step(
                "Read the log of the service that calls this one for refused or timed-out connections to it.",
                outcomes=(
                    (
                        "its calls fail",
                        "the network or the name between the two is broken: tell its operators.",
                    ),
                    ("it makes no calls", "it is the one that is down or rolled back: open its runbooks."),
                ),
                logs=(f'{{environment=~".+"}} |= "{name}" | level =~ "error|critical"',),
            ),
        ),
        mitigation=(
            Action(
                "A change of routing, DNS, certificate or firewall came just before: revert it.",
                "traffic returns as caches expire.",
                "1 to 10 minutes, as long as the DNS entry may be cached.",
            ),
            roll_back(spell(window)),
            Action(
                "One zone or balancer is at fault: send its traffic to another.",
                "users of that zone reach the service again.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the public address does not answer from outside",
        ),
        verification=(
            Step(
                "Traffic is back near yesterday's.",
                (f"{now} / {yesterday}",),
                (
                    ("the ratio is near 1", "it is over; expect a short peak of retries."),
                    (
                        "it stays low and users confirm that all works",
                        "silence the alert until tomorrow and say why.",
                    ),
                ),
            ),
        ),
    )


def _errors(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        take_out(spell(window)),
        Action(
            "A dependency fails: switch off the feature that needs it, or let its calls fail at once (open the "
            "circuit breaker) in place of waiting.",
            "requests that do not need it succeed again, and threads stop piling up behind it.",
            f"1 minute, and {spell(window)} until the alert sees it.",
        ),
        Action(
            "Every instance is at its limit of CPU or memory: add instances, half as many again.",
            "load for each falls by a third; errors from overload stop.",
            "2 to 10 minutes, as long as an instance takes to become ready.",
        ),
    )


def slow(window: str) -> tuple[Action, ...]:
    """Return what helps against slow requests."""
    return (
        roll_back(spell(window)),
        Action(
            "CPU is short everywhere: add instances, half as many again.",
            "queues drain and latency falls within a minute of the new instances becoming ready.",
            "2 to 10 minutes.",
        ),
        take_out(spell(window)),
        Action(
            "A dependency is slow: lower the timeout of calls to it and serve what needs it from a cache or not at all.",
            "requests stop waiting; some answers are older or lack a part.",
            "5 minutes.",
        ),
    )


def _error_ratio_is_over(alert: Alert, ask: Queries) -> Step:
    window, line = look_back(alert), percent(alert.threshold.value)
    return Step(
        f"The error ratio stays below {line} for {alert.window.words}.",
        (
            f"sum by (service) ({ask.failures(window)}) / sum by (service) ({ask.requests(window)})",
            f"sum by (service) ({ask.requests(window)})",
        ),
        (
            ("it stays below and traffic is as usual", "the alert ends by itself at the next evaluation."),
            ("it fell because traffic fell", "users cannot reach the service: open HttpTrafficDropped."),
        ),
    )


def in_flight_saturated(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """HttpInFlightSaturated: requests pile up in an instance."""
    alert, name, window = alerts[0], ask.service.name, _NOW
    active = f"sum by (instance) ({ask.series(SERVER_ACTIVE)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An instance of {name} works on more than {alert.threshold.value:f} requests at once. Requests come in "
            "faster than they are answered, because there are more of them or because each takes longer."
        ),
        impact=(
            "Every request waits for the others: latency rises for all, memory grows with each one, and callers that "
            "give up and try again make it worse."
        ),
        diagnosis=(
            Step(
                "See whether one instance holds them or all do.",
                (active,),
                (
                    ("one instance", "it hangs or gets more than its share: Mitigation 3, then step 3."),
                    ("all instances", "go on with step 2."),
                ),
            ),
            Step(
                "Compare traffic with yesterday's, and how long requests take.",
                (
                    f"sum by (service) ({ask.requests(window)})",
                    f"sum by (service) ({ask.requests(window, offset='1d')})",
                    ask.latency("0.5", window, "service"),
                ),
                (
                    ("there is more traffic than yesterday", "capacity is short: Mitigation 2."),
                    ("traffic is as usual and the median is slow", "requests wait for something; go on with step 3."),
                ),
            ),
            *slow_requests(ask, window, start=3),
        ),
        mitigation=slow(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="requests begin to fail as well",
        ),
        verification=(stays_below("The number of requests in each instance", f"{alert.threshold.value:f}", active, 1),),
    )  # fmt: skip


def privilege_denied(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PrivilegeDeniedSpike: many are told that they may not."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    denied = ask.series(SERVER_REQUESTS, (STATUS.name, "=", "403"))
    count = f"sum by (service) (increase({denied}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} answered more than {alert.threshold.value:f} requests with 403 (known, but not allowed) within "
            f"{spell(window)}. Somebody tries doors, or a release or a changed role took rights from people who had them."
        ),
        impact=(
            "Either honest users cannot do their work, or somebody is looking for a resource that is guarded less well "
            "than the others. Both look the same from here."
        ),
        diagnosis=(
            Step(
                "Find the routes that deny, and how many others succeed there.",
                (
                    f"topk(5, sum by ({ask.route}) (increase({denied}[{window}])))",
                    f"sum by ({ask.route}, {ask.status}) ({ask.requests(window)})",
                ),
                (
                    ("one route denies nearly everybody", "its rule changed: go on with step 2."),
                    ("many routes deny a part of the requests", "somebody probes, or a role lost rights: step 3."),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "Read which users and addresses are denied.",
                outcomes=(
                    ("one user or address makes most of them", "treat it as an attack: Mitigation 2."),
                    ("many users of one role or tenant", "their rights changed: Mitigation 3."),
                    ("tokens of another audience or an old key", "a client is configured wrongly: tell its owner."),
                ),
                logs=(f'{ask.stream()} |= "403"',),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            Action(
                "Block the address at the proxy, and revoke the sessions and keys of the user.",
                "the attempts end; keep log lines and audit records before they expire.",
                "5 minutes.",
            ),
            Action(
                "Give the role back what it had, with the change's author present.",
                "users can work again from their next request, or from their next sign-in where rights are in a token.",
                "5 minutes, and as long as tokens last.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="one source makes the attempts, or one of them has succeeded",
        ),
        verification=(stays_below("The number of denied requests", f"{alert.threshold.value:f}", count, 1),),
    )  # fmt: skip
