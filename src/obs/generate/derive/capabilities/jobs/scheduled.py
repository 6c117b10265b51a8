"""Alerts on scheduled jobs, one for each job of the spec: it does not succeed, or the code does not know it."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.jobs import JOB_NAME, LAST_SUCCESS, RUNS
from obs.catalogue.target import UP
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.vocabulary import BY, escape
from obs.generate.model import Duration, Job, Threshold

NOT_RUNNING = Defaults("page", Duration.parse("10m"))
NOT_DECLARED = Defaults("ticket", Duration.parse("10m"))

#: A series that was there in this time before a cycle ago was there a cycle ago, failed scrapes or not.
_MEMORY = Duration.parse("1h")


def look_back(job: Job) -> Duration:
    """Return how long the last success of `job` is remembered."""
    return job.cycle * 2


def not_running(kit: Kit, job: Job) -> Draft:
    """Return JobNotRunning for one job: a cycle and its grace went by without a success.

    The gauge of the last success vanishes with the worker and is not there before the first success,
    so the expression remembers it for two cycles, and a job that the code declared a whole cycle ago and
    that never succeeded counts as well. A job that the code has never declared is none of these:
    nobody is woken for a misspelt name, see `not_declared`.
    """
    names, cycle = kit.names, job.cycle
    gauge_name, label = names.metric(LAST_SUCCESS.id), names.label(LAST_SUCCESS.id, JOB_NAME.name)
    successes = names.selector(gauge_name, f'{label}="{escape(job.name)}"')
    last = f"max by ({BY}) (max_over_time({successes}[{look_back(job)}]))"
    seconds = f"{cycle.seconds:f}"
    # The SDK writes a zero as soon as it knows a job, long before the first run ends.
    declared = f"group by ({BY}) (last_over_time({_runs(kit, job)}[{max(cycle, _MEMORY)}] offset {cycle}))"
    return Draft(
        name="JobNotRunning",
        expr=f"time() - {last} > {seconds} or {seconds} * ({declared} unless {last})",
        signals=(LAST_SUCCESS.id, RUNS.id),
        threshold=Threshold(
            cycle.seconds,
            "s",
            ">",
            f"no success for {cycle} (every {job.schedule}, at most {job.grace} late)",
        ),
        summary=f"{{{{ $labels.service }}}}: job {job.name} has not succeeded for {{{{ $value | humanizeDuration }}}}",
        description=(
            f"Job {job.name} of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) must succeed every "
            f"{job.schedule}, at most {job.grace} late; its last success is {{{{ $value | humanizeDuration }}}} "
            "old, or it never had one."
        ),
        cases=_not_running_cases(kit, job, gauge_name, label),
        window=look_back(job),
        labels={label: job.name},
        job=job.name,
    )


def not_declared(kit: Kit, job: Job) -> Draft:
    """Return JobNotDeclared for one job: the service has been there for a cycle, and its code does not know the job.

    The spec names it otherwise than the code, or the worker was built without it; then JobNotRunning
    cannot watch it.
    """
    names, cycle = kit.names, job.cycle
    up = names.selector(names.metric(UP.id))
    known = f"group by ({BY}) (last_over_time({_runs(kit, job)}[{cycle}]))"
    there = f"group by ({BY}) (last_over_time({up}[{_MEMORY}] offset {cycle}))"
    label = names.label(RUNS.id, JOB_NAME.name)
    return Draft(
        name="JobNotDeclared",
        expr=f"group by ({BY}) ({up} == 1) and {there} unless {known}",
        signals=(RUNS.id, UP.id),
        threshold=Threshold(Decimal(1), "1", "==", f"no series of the job for {cycle}"),
        summary=f"{{{{ $labels.service }}}}: its code does not know job {job.name}",
        description=(
            f"The spec of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) says that job {job.name} must succeed "
            f"every {job.schedule}, but for {cycle} the service has not reported any job of that name: nobody watches it."
        ),
        cases=_not_declared_cases(kit, job),
        window=cycle + _MEMORY,
        labels={label: job.name},
        job=job.name,
    )


def _runs(kit: Kit, job: Job) -> str:
    """Return the selector of the runs of `job`, which is there from the moment on at which the code knows it."""
    names = kit.names
    return names.selector(
        names.metric(RUNS.id), f'{names.label(RUNS.id, JOB_NAME.name)}="{escape(job.name)}"'
    )


def _declared(kit: Kit, job: Job, *track: tuple[int, int | None]) -> Sample:
    names = kit.names
    return Sample(names.metric(RUNS.id), {names.label(RUNS.id, JOB_NAME.name): job.name}, gauge(list(track)))


def _not_running_cases(kit: Kit, job: Job, metric: str, label: str) -> tuple[Case, ...]:
    wait, step = kit.for_steps, kit.step.seconds
    # The first step at which more than a cycle has gone by since step 1, when the job succeeded.
    late = 1 + job.cycle.milliseconds // kit.step.milliseconds + 1
    end = late + wait + 2
    success = Decimal(step)

    def last_success(*track: tuple[int, Decimal | None]) -> Sample:
        return Sample(metric, {label: job.name}, gauge(track))

    def age(at: int) -> tuple[tuple[dict[str, str], float], ...]:
        return (({}, float(at * step - success)),)

    known = _declared(kit, job, (end, 0))
    overdue = [Fact(late - 1, "silent")]
    if wait:
        overdue += [Fact(late, "pending"), Fact(late + wait - 1, "pending")]
    overdue.append(Fact(late + wait, "firing", age(late + wait)))
    punctual = [(0, Decimal(0))]
    every = max(1, job.cycle.milliseconds // kit.step.milliseconds - 1)
    punctual += [(every, Decimal(number * every) * step) for number in range(-(-end // every) + 1)]
    never: tuple[tuple[dict[str, str], float], ...] = (({}, float(job.cycle.seconds)),)
    # With no sample at the first step there is none a cycle before, either.
    cycle = kit.steps(job.cycle)
    young_until = 2 + cycle
    return (
        Case("for", "succeeds once and never again", (known, last_success((end, success))), tuple(overdue)),
        Case(
            "silent",
            "succeeds just in time again and again",
            (known, last_success(*punctual)),
            (Fact(late, "silent"), Fact(end, "silent")),
        ),
        Case(
            "gone",
            "succeeds once and the worker restarts",
            (known, last_success((2, success), (end, None))),
            (Fact(late - 1, "silent"), Fact(late + wait, "firing", age(late + wait))),
        ),
        Case(
            "fires",
            "never succeeds",
            (_declared(kit, job, (cycle + wait + 3, 0)),),
            (Fact(cycle - 1, "silent"), Fact(cycle + wait + 1, "firing", never)),
        ),
        Case(
            "gone",
            "never succeeds, and the worker is removed",
            (_declared(kit, job, (cycle // 2, 0), (cycle + wait + 3, None)),),
            (Fact(cycle - 1, "silent"), Fact(cycle + wait + 1, "firing", never)),
        ),
        Case(
            "born",
            "a new job has a cycle to succeed",
            (_declared(kit, job, (2, None), (young_until + wait + 3, 0)),),
            (Fact(young_until - 1, "silent"), Fact(young_until + wait + 2, "firing", never)),
        ),
        Case(
            "silent",
            "a job that the code does not declare",
            (Sample(kit.names.metric(UP.id), {}, gauge([(cycle + wait + 3, 1)])),),
            (Fact(cycle - 1, "silent"), Fact(cycle + wait + 2, "silent")),
        ),
    )


def _not_declared_cases(kit: Kit, job: Job) -> tuple[Case, ...]:
    wait, cycle = kit.for_steps, kit.steps(job.cycle)
    # A little more than a cycle on, nothing changes any more.
    end = cycle + wait + 7
    absent: tuple[tuple[dict[str, str], float], ...] = (({}, 1.0),)

    def up(*track: tuple[int, int | None]) -> tuple[Sample, ...]:
        """Write the service itself, which knows all its other jobs."""
        others = (_declared(kit, other, (end, 0)) for other in kit.service.jobs if other != job)
        return (Sample(kit.names.metric(UP.id), {}, gauge(list(track))), *others)

    # The last sample, of step 3, leaves the look-back one step sooner from Prometheus 3 on.
    gone = 3 + cycle
    leaving = [Fact(gone - 1, "silent")]
    if wait > 1:
        leaving += [Fact(gone + 1, "pending"), Fact(gone + wait - 1, "pending")]
    leaving += [Fact(gone + 1 + wait, "firing", absent), Fact(end, "silent")]
    return (
        Case(
            "fires",
            "the code never knows the job",
            up((end, 1)),
            (Fact(cycle - 1, "silent"), Fact(cycle + wait + 1, "firing", absent)),
        ),
        Case(
            "silent",
            "the code knows the job",
            (*up((end, 1)), _declared(kit, job, (end, 0))),
            (Fact(cycle + wait + 1, "silent"), Fact(end, "silent")),
        ),
        Case(
            "silent",
            "the service itself is down",
            up((2, 1), (end, 0)),
            (Fact(cycle + wait + 1, "silent"),),
        ),
        Case(
            "for",
            "a release forgets the job, the next one has it again",
            (*up((end, 1)), _declared(kit, job, (3, 0), (cycle + wait + 2, None), (cycle, 0))),
            tuple(leaving),
        ),
        Case(
            "gone",
            "the service is removed",
            up((cycle + wait + 1, 1), (4, None)),
            (Fact(cycle + wait + 1, "firing", absent), Fact(cycle + wait + 3, "silent")),
        ),
        Case(
            "born",
            "a new service has a cycle to declare it",
            up((2, None), (end, 1)),
            (Fact(2 + cycle, "silent"), Fact(cycle + wait + 5, "firing", absent)),
        ),
    )
