"""Runbooks of the job alerts."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.jobs import ACTIVE, DURATION, JOB_NAME, LAST_SUCCESS, RESULT, RUNS
from obs.catalogue.process import START_TIME
from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import error_lines, escalate, recent_change, roll_back
from obs.generate.derive.guidance.queries import Match, Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step

_FAILED: Match = (RESULT.name, "=", "failure")


def failure_ratio_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """JobFailureRatioHigh: runs end, but badly."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    job = ask.by(RUNS, JOB_NAME.name)
    runs, failed = (f"sum {job} (rate({ask.series(RUNS, *where)}[{window}]))" for where in ((), (_FAILED,)))
    slowest = ask.quantile("0.95", DURATION, window, ask.label(DURATION, JOB_NAME.name))
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} of the runs of a job of {name} have failed over {spell(window)}. The job starts and ends as "
            "planned, but with an error; the label `job_name` of the alert says which."
        ),
        impact=(
            "What the failed runs should have done is missing or late. Where the job is retried, its load doubles; "
            "where it is not, somebody must run it again by hand for the part that was lost."
        ),
        diagnosis=(
            Step(
                "See which jobs fail, and what share of their runs.",
                (f"{failed} / {runs}",),
                (
                    ("one job fails", "its own input or code is at fault; go on with step 2."),
                    ("all jobs of the service fail", "something shared is broken; go on with step 3."),
                ),
            ),
            Step(
                "Read the errors of that job, the newest first.",
                outcomes=(
                    ("the same item fails each time", "put it aside (Mitigation 1); the others will pass."),
                    ("it cannot reach something", "that is the cause: open its runbook; then Mitigation 3."),
                    ("runs end at a time limit", "go on with step 4."),
                ),
                logs=(error_lines(ask),),
            ),
            recent_change(ask, 4),
            Step(
                "Compare how long runs take: the 95th percentile in seconds.",
                (slowest,),
                (
                    (
                        "they take longer than before",
                        "there is more to do or a dependency is slow: Mitigation 3.",
                    ),
                    (
                        "they fail at once",
                        "configuration or a credential is wrong: compare it with the last release.",
                    ),
                ),
            ),
        ),
        mitigation=(
            Action(
                "One item breaks the run: move it out of the queue or table into quarantine, and keep it for the owner.",
                "the next run succeeds with the rest.",
                f"5 minutes, and {spell(window)} until the alert sees it.",
            ),
            roll_back(spell(window)),
            Action(
                "A dependency is down or slow: pause the job until it is back, then run it once by hand.",
                "no more failed runs and no added load; the work waits.",
                "1 minute to pause.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the lost runs moved money or cannot be repeated",
        ),
        verification=(
            Step(
                f"The share of failed runs is below {line}, and runs do happen.",
                (f"{failed} / {runs}", runs),
                (
                    ("both hold", "run by hand what was lost, then close."),
                    ("there are no runs", "the job is paused or stuck: open JobNotRunning."),
                ),
            ),
        ),
    )


def not_running(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """JobNotRunning: no success for longer than the schedule allows."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    job = ask.by(LAST_SUCCESS, JOB_NAME.name)
    age = f"time() - max {job} ({ask.series(LAST_SUCCESS)})"
    ended = f"sum {ask.by(RUNS, JOB_NAME.name, RESULT.name)} (increase({ask.series(RUNS)}[{window}]))"
    promises = [
        f"`{planned.name}` must succeed once in {planned.schedule.words}, at most {planned.grace.words} late"
        for planned in ask.service.jobs
    ]
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"A job of {name} has not succeeded for longer than its schedule allows"
            f"{': ' + '; '.join(promises) if promises else ''}. "
            "It hangs, it fails each time, it is not started any more, or its process is gone."
        ),
        impact=(
            "Everything that waits for the job's result gets older by the minute: settlements, reports, clean-ups. "
            "Nothing else will complain, because work that is not done makes no errors."
        ),
        diagnosis=(
            Step(
                "See how long ago each job succeeded, in seconds.",
                (age,),
                (
                    ("one job is late", "go on with step 2."),
                    ("all are late, or there is no data", "the process is at fault; go on with step 4."),
                ),
            ),
            Step(
                "See whether a run is in progress, and how runs have ended.",
                (f"sum {ask.by(ACTIVE, JOB_NAME.name)} ({ask.series(ACTIVE)})", ended),
                (
                    ("a run is in progress all the time", "it hangs: take a stack dump, then Mitigation 1."),
                    ("runs fail", "follow JobFailureRatioHigh, steps 2 to 4."),
                    ("there are no runs at all", "the scheduler does not start it; go on with step 3."),
                ),
                commands=('py-spy dump --pid "$(pgrep -of python)"',),
            ),
            Step(
                "Read the last lines of the scheduler and of the job.",
                outcomes=(
                    ("the last line is the start of a run", "it hangs in what follows: Mitigation 1."),
                    (
                        "the schedule was changed or the job renamed",
                        "put the new one into the service's spec.",
                    ),
                    ("a lock is held by a process that is gone", "release the lock, then Mitigation 2."),
                ),
                logs=(ask.stream(),),
            ),
            Step(
                "See whether the process is there, and since when.",
                (ask.series(UP), f"time() - max by (instance) ({ask.series(START_TIME)})"),
                (
                    ("it is down", "follow TargetDown of this service."),
                    ("it started minutes ago", "a restart interrupted the run: Mitigation 2."),
                    ("it runs since long", "its scheduler has stopped: Mitigation 1."),
                ),
            ),
        ),
        mitigation=(
            Action(
                "Restart the instance that should run the job.",
                "a hanging run ends; the scheduler starts anew and the next run follows the schedule.",
                "1 to 2 minutes.",
            ),
            Action(
                "Run the job once by hand, with the command of its schedule.",
                "the result is up to date; the alert ends with the first success.",
                "as long as one run takes.",
            ),
            roll_back("one run"),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the missing result has a legal or a bank's deadline today",
        ),
        verification=(
            Step(
                "The age of the last success falls to near zero and then follows the schedule, twice in a row.",
                (age,),
                (
                    ("it does", "it is over; check that the work of the missed runs was made up for."),
                    (
                        "only a run by hand succeeded",
                        "the scheduler is still broken: go on with Diagnosis 3.",
                    ),
                ),
            ),
        ),
    )


def not_declared(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """JobNotDeclared: spec and code do not agree about a job."""
    alert, name = alerts[0], ask.service.name
    names = ", ".join(f"`{alert.job}`" for alert in alerts if alert.job)
    known = f"group {ask.by(RUNS, JOB_NAME.name)} ({ask.series(RUNS)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The spec of {name} names a scheduled job ({names}) that the running service has not reported for a whole "
            "cycle. The SDK reports a job as soon as the code that declares it is loaded, long before its first run ends."
        ),
        impact=(
            "Whether the job runs is not known: JobNotRunning cannot watch it. Either it is called otherwise in the code, "
            "or it is not part of what was deployed, and its work is not done."
        ),
        diagnosis=(
            Step(
                "See which jobs the service does report.",
                (known, f"count by (service) ({ask.series(UP)} == 1)"),
                (
                    ("a job of nearly the same name", "spec and code spell it differently: Mitigation 2."),
                    ("other jobs only", "it is not part of this release; go on with step 2."),
                    ("no job at all", "its worker is not among the targets, or is not instrumented: step 3."),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "Read the log of the worker's start for what it could not load.",
                outcomes=(
                    ("an import fails", "the job's module was left out: Mitigation 1."),
                    (
                        "nothing about the job",
                        "it is switched off by configuration, or was removed: Mitigation 3.",
                    ),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error|critical"',),
            ),
        ),
        mitigation=(
            roll_back("one cycle of the job"),
            Action(
                "The names differ: correct the spec or the code, then generate and load the rules again.",
                "the job is watched from now on.",
                "10 minutes.",
            ),
            Action(
                "The job was removed on purpose: remove it from the spec as well, and generate again.",
                "the alert disappears with it.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the job moves money or keeps a legal deadline",
        ),
        verification=(
            Step(
                "The job is among those that the service reports.",
                (known,),
                (
                    ("it is there", "it is over: the alert ends by itself at the next evaluation."),
                    ("it is not", "another instance or environment was corrected: go on with Diagnosis 1."),
                ),
            ),
        ),
    )
