"""Lines of investigation that several alerts share: failing requests, slow requests, a lost process.

Each is a list of steps whose outcomes lead to one another by number, counted from `start`.
"""

from __future__ import annotations

from obs.catalogue.http import CLIENT_DURATION, CLIENT_REQUESTS, ERROR_TYPE, SERVER_ACTIVE, SERVER_ADDRESS
from obs.catalogue.process import START_TIME
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.guidance.references import ROLL_BACK, ROLLED_BACK
from obs.generate.derive.guidance.versions import versions
from obs.generate.model import Action, Step


def failing_requests(ask: Queries, window: str, start: int = 1) -> tuple[Step, ...]:
    """Steps from "requests fail" to the release, instance, dependency or line of code at fault."""
    route = ask.route
    return (
        Step(
            "Find the routes that fail, and with which status.",
            (f"topk(5, sum by ({route}, {ask.status}) ({ask.failures(window)}))",),
            (
                (
                    "one route carries most failures",
                    f"the fault is in that route; go on with step {start + 3}.",
                ),
                ("all routes fail alike", f"something they share is broken; go on with step {start + 1}."),
            ),
        ),
        Step(
            "See whether one instance fails or all of them.",
            (f"sum by (instance) ({ask.failures(window)}) / sum by (instance) ({ask.requests(window)})",),
            (
                (
                    "one instance stands out",
                    (
                        "take it out of rotation (Mitigation 2); its log lines in "
                        f"step {start + 4} tell what broke."
                    ),
                ),
                ("all instances fail alike", f"go on with step {start + 2}."),
            ),
        ),
        recent_change(ask, start + 3),
        failing_dependencies(ask, window, start + 4),
        Step(
            "Read the errors of the failing requests, the newest first.",
            outcomes=(
                ("the same exception repeats", "its stack names the file and line to repair or roll back."),
                (
                    "the messages differ",
                    "take the `trace_id` of three lines and open those traces: the first red span is the cause.",
                ),
                (
                    "there are failed requests but no error lines",
                    "they are refused before the application: look at the proxy in front of it.",
                ),
            ),
            logs=(error_lines(ask),),
        ),
    )


def slow_requests(ask: Queries, window: str, start: int = 1) -> tuple[Step, ...]:
    """Steps from "requests are slow" to the route, the dependency or the exhausted process."""
    address = ask.label(CLIENT_DURATION, SERVER_ADDRESS.name)
    return (
        Step(
            "Find the slow routes: the 99th percentile of each, in seconds.",
            (f"topk(5, {ask.latency('0.99', window, ask.route)})",),
            (
                ("one route is slow", f"its own work or what it calls is slow; go on with step {start + 1}."),
                ("all routes are slow", f"the process is short of something; go on with step {start + 2}."),
            ),
        ),
        Step(
            "See how long calls to other services take.",
            (ask.quantile("0.99", CLIENT_DURATION, window, address),),
            (
                (
                    "one address is as slow as the requests",
                    "the cause is there: open the runbook of that service and tell its owner.",
                ),
                (
                    "calls are fast, or there are none",
                    f"the time goes into this service's own work or its database; go on with step {start + 4}.",
                ),
            ),
        ),
        Step(
            "Compare CPU, as a share of what each instance may use, with the requests it has in flight.",
            (ask.cpu_share(window), f"sum by (instance) ({ask.series(SERVER_ACTIVE)})"),
            (
                ("CPU is above 0.8 everywhere", "the service is short of capacity: Mitigation 2."),
                ("one instance holds most requests", "take it out of rotation: Mitigation 3."),
                (
                    "requests pile up while CPU is low",
                    f"they wait for a lock, a pool or a call; go on with step {start + 1}.",
                ),
            ),
        ),
        recent_change(ask, start + 4),
        Step(
            "Pick slow requests from the log and open their traces: the longest span is where the time goes.",
            outcomes=(
                (
                    "one database statement dominates",
                    f"give its text and plan to the owner; if it is new, {ROLL_BACK}.",
                ),
                (
                    "time passes between spans",
                    (
                        "the process itself stalls: compare with step "
                        f"{start + 2} and with its garbage collection."
                    ),
                ),
            ),
            logs=(f'{ask.stream()} | duration > 0.5 | trace_id != ""',),
        ),
    )


def recent_change(ask: Queries, otherwise: int) -> Step:
    """Ask whether a release or a restart came just before the trouble."""
    starts = f"sum by (instance) (changes({ask.series(START_TIME)}[1h]))"
    running = versions(ask)
    if running is None:
        look = "Look for a release or restarts just before it began: starts in the last hour."
        queries: tuple[str, ...] = (starts,)
    else:
        look = "Look for a release or restarts just before it began: versions that run, and starts in the last hour."
        queries = (running, starts)
    return Step(
        look,
        queries,
        (
            ("a new version appeared just before", f"{ROLL_BACK}."),
            (
                "instances start again and again",
                "the process dies: the last log lines before each start name the reason.",
            ),
            ("nothing changed", f"go on with step {otherwise}."),
        ),
    )


def failing_dependencies(ask: Queries, window: str, otherwise: int) -> Step:
    """Ask whether what the service calls is at fault."""
    by = ask.by(CLIENT_REQUESTS, SERVER_ADDRESS.name, ERROR_TYPE.name)
    return Step(
        "Ask whether a service that this one calls is failing.",
        (f"sum {by} ({ask.failed_calls(window)})",),
        (
            (
                "one address fails",
                (
                    "the cause is there: open the runbook of that service, tell its owner, and limit the "
                    "damage here with Mitigation 3."
                ),
            ),
            ("no calls fail, or there is no data", f"go on with step {otherwise}."),
        ),
    )


def error_lines(ask: Queries) -> str:
    """Return a log query for the service's errors."""
    return f'{ask.stream()} | level =~ "error|critical"'


def read_errors(ask: Queries) -> Step:
    """Read what the service itself says; the last step of most lines of investigation."""
    return Step(
        "Read the errors in the service's log, the newest first.",
        outcomes=(
            ("the same exception repeats", "its stack names the file and line to repair or roll back."),
            (
                "the messages differ",
                "take the `trace_id` of three lines and open those traces: the first red span is the cause.",
            ),
            ("there are no error lines", "the trouble is outside the code: ask the owner of what it uses."),
        ),
        logs=(error_lines(ask),),
    )


def stays_below(figure: str, line: str, query: str, otherwise: int) -> Step:
    """Tell how to know that it is over: `figure`, which `query` shows, stays below `line`."""
    return Step(
        f"{figure} stays below {line} for 15 minutes.",
        (query,),
        (
            ("it stays below", "it is over: the alert ends by itself at the next evaluation."),
            ("it comes back", f"the cause is still there: go on with Diagnosis {otherwise}."),
        ),
    )


def roll_back(window: str) -> Action:
    """Return to the version before."""
    return Action(
        ROLLED_BACK,
        "the figure returns to its former level as old instances take over; data is untouched.",
        f"2 to 5 minutes, and {window} until the alert sees it.",
    )


def take_out(window: str) -> Action:
    """Remove one instance from rotation."""
    return Action(
        "One instance is at fault: take it out of the load balancer, save its log and a stack dump, then restart it.",
        "its share of the trouble disappears at once; the others carry its traffic.",
        f"1 minute, and {window} until the alert sees it.",
    )


def escalate(team: str, *, urgent: bool, when: str) -> tuple[str, ...]:
    """Say whom to call and when; `when` is the sign that waiting is wrong."""
    first = (
        f"Call the on-call engineer of team {team} after 15 minutes without improvement, or at once when {when}."
        if urgent
        else f"Leave it to team {team} in working hours; call their on-call engineer at once when {when}."
    )
    return (
        first,
        "When a step above points at another service, call that service's owner and give them the query and its result.",
        "Write each action with its time into the incident's channel: whoever takes over must not repeat it.",
    )
