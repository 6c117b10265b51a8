"""Runbooks of gRPC calls that fail or are slow."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.rpc import CLIENT_CALLS, METHOD, SERVER_ACTIVE, SERVER_CALLS, SERVER_DURATION, STATUS
from obs.generate.derive.capabilities.grpc.panels import FAILED
from obs.generate.derive.guidance.investigation import (
    escalate,
    read_errors,
    recent_change,
    roll_back,
    stays_below,
    take_out,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, seconds, spell
from obs.generate.model import Action, Alert, Runbook, Step


def error_ratio_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """GrpcErrorRatioHigh: a method fails its callers."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    method, status = ask.label(SERVER_CALLS, METHOD.name), ask.label(SERVER_CALLS, STATUS.name)
    failed, calls = (
        f"rate({ask.series(SERVER_CALLS, FAILED)}[{window}])",
        f"rate({ask.series(SERVER_CALLS)}[{window}])",
    )
    share = f"sum by ({method}) ({failed}) / sum by ({method}) ({calls})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} has failed more than {line} of the calls of one method over {spell(window)}, with a status that is "
            "the server's fault: UNKNOWN, INTERNAL, UNAVAILABLE, DATA_LOSS, DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED."
        ),
        impact=(
            "Every service that calls the method sees it. Clients with a retry policy call again, so the load grows "
            "while the method can do least with it."
        ),
        diagnosis=(
            Step(
                "Find the methods that fail, and with which status.",
                (f"topk(5, sum by ({method}, {status}) ({failed}))",),
                (
                    ("DEADLINE_EXCEEDED", "the work takes longer than callers wait: follow GrpcLatencyP99High."),
                    ("RESOURCE_EXHAUSTED", "a limit is reached, of the server or of a quota: Mitigation 3."),
                    ("UNAVAILABLE", "connections break or instances go: step 3."),
                    ("INTERNAL or UNKNOWN", "the code raises: go on with step 2, then step 5."),
                ),
            ),
            Step(
                "See whether one instance fails or all of them.",
                (f"sum by (instance) ({failed}) / sum by (instance) ({calls})",),
                (
                    ("one instance stands out", "take it out of rotation: Mitigation 2."),
                    ("all fail alike", "go on with step 3."),
                ),
            ),
            recent_change(ask, 4),
            _calls_on(ask, window, 5),
            read_errors(ask),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="callers turn their own users away because of it",
        ),
        verification=(stays_below("The share of failed calls of each method", line, share, 1),),
    )  # fmt: skip


def latency_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """GrpcLatencyP99High: the slowest hundredth of a method's calls takes too long."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, method = seconds(alert.threshold.value), ask.label(SERVER_DURATION, METHOD.name)
    p99 = ask.quantile("0.99", SERVER_DURATION, window, method)
    active = ask.label(SERVER_ACTIVE, METHOD.name)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"One call in a hundred of a method of {name} takes longer than {line}, counted over {spell(window)}. A "
            "streaming call lasts as long as its stream is open: where that is its nature, switch the alert off in the spec."
        ),
        impact=(
            "Callers wait, and those with a deadline near this figure give up and count a failure. Calls that wait "
            "hold threads and memory of the server."
        ),
        diagnosis=(
            Step(
                "Find the slow methods: the 99th percentile and the median of each, in seconds.",
                (f"topk(5, {p99})", ask.quantile("0.5", SERVER_DURATION, window, method)),
                (
                    ("the median is slow too", "everything the method does is slow; go on with step 2."),
                    ("only the 99th percentile is", "some calls wait or do more than others; go on with step 4."),
                ),
            ),
            Step(
                "Compare CPU, as a share of what each instance may use, with the calls in flight.",
                (ask.cpu_share(window), f"sum by ({active}) ({ask.series(SERVER_ACTIVE)})"),
                (
                    ("CPU is above 0.8 everywhere", "the service is short of capacity: Mitigation 3."),
                    ("calls pile up while CPU is low", "they wait for a lock, a pool or a call; go on with step 4."),
                ),
            ),
            recent_change(ask, 4),
            _calls_on(ask, window, 5),
            read_errors(ask),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="GrpcErrorRatioHigh fires as well",
        ),
        verification=(stays_below("The 99th percentile of each method", line, p99, 1),),
    )  # fmt: skip


def _calls_on(ask: Queries, window: str, otherwise: int) -> Step:
    """Ask whether what the service calls by gRPC is at fault."""
    by = ask.by(CLIENT_CALLS, METHOD.name, STATUS.name)
    return Step(
        "See how the calls end that this service makes itself.",
        (f"sum {by} (rate({ask.series(CLIENT_CALLS, (STATUS.name, '!=', 'OK'))}[{window}]))",),
        (
            (
                "one method of another service fails",
                "the cause is there: open its runbook and tell its owner.",
            ),
            ("none fails, or there is no data", f"go on with step {otherwise}."),
        ),
    )


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        take_out(spell(window)),
        Action(
            "Every instance is at a limit: add instances, half as many again, or raise the limit of calls at once.",
            "each has a third less to do; calls that were refused or waited are answered.",
            "2 to 10 minutes, as long as an instance takes to become ready.",
        ),
    )
