"""Alerts on jobs: those that fail, and those that no longer run."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.jobs import JOB_NAME, LAST_SUCCESS, RESULT, RUNS
from obs.catalogue.target import UP
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, gauge, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.derive.vocabulary import BY, escape, matcher
from obs.generate.model import Duration, Job, Threshold

FAILURES_HIGH = Defaults("ticket", Duration.parse("5m"), Decimal("0.1"), "ratio", Duration.parse("1h"))
NOT_RUNNING = Defaults("page", Duration.parse("10m"))

#: A nightly job fails once a night: one failed run must be enough.
MIN_FAILED_RUNS = 1
#: A series that was there in this time before a cycle ago was there a cycle ago, failed scrapes or not.
_MEMORY = Duration.parse("1h")
_STORY_JOB = "story"


def failure_ratio_high(kit: Kit) -> Draft:
    """Return JobFailureRatioHigh: too many runs of a job fail."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(RUNS.id)
    name, result = names.label(RUNS.id, JOB_NAME.name), names.label(RUNS.id, RESULT.name)
    failed = events(names.selector(metric, matcher(result, "failure")), window)
    runs = events(names.selector(metric), window)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        labels = {"instance": instance, name: _STORY_JOB}
        return (
            Sample(metric, {**labels, result: "success"}, counter(good(story))),
            Sample(metric, {**labels, result: "failure"}, counter(bad(story))),
        )

    return Draft(
        name="JobFailureRatioHigh",
        expr=share_of_bad(total(failed, name), total(runs, name), MIN_FAILED_RUNS, f"{line:f}"),
        signals=(RUNS.id,),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the runs of {window} fail"
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of {{{{ $labels.{name} }}}} fails",
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the runs of job {{{{ $labels.{name} }}}} of "
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) in the last {window} failed; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(
            kit, write, share_value, line=line, floor=MIN_FAILED_RUNS, shows={name: _STORY_JOB}
        ),
        window=window,
        omits=OMITS,
    )


def not_running(kit: Kit, job: Job) -> Draft:
    """Return JobNotRunning for one job: a cycle and its grace went by without a success.

    The gauge of the last success vanishes with the worker and is not there before the first success,
    so the expression remembers it for two cycles, and a service that has been there for a whole
    cycle without any success counts as well; but not while the job itself is younger than a cycle: a
    nightly job that was released to an old service today is not late.
    """
    names, cycle = kit.names, job.cycle
    gauge_name, up = names.metric(LAST_SUCCESS.id), names.selector(names.metric(UP.id))
    label = names.label(LAST_SUCCESS.id, JOB_NAME.name)
    successes = names.selector(gauge_name, f'{label}="{escape(job.name)}"')
    last = f"max by ({BY}) (max_over_time({successes}[{look_back(job)}]))"
    seconds = f"{cycle.seconds:f}"
    there = f"group by ({BY}) (last_over_time({up}[{_MEMORY}] offset {cycle}))"
    # The SDK writes a zero as soon as it knows a job, long before the first run ends.
    runs_metric, runs_label = names.metric(RUNS.id), names.label(RUNS.id, JOB_NAME.name)
    runs = names.selector(runs_metric, f'{runs_label}="{escape(job.name)}"')
    known, before = (
        f"group by ({BY}) ({runs})",
        f"group by ({BY}) (last_over_time({runs}[{max(cycle, _MEMORY)}] offset {cycle}))",
    )
    return Draft(
        name="JobNotRunning",
        expr=f"time() - {last} > {seconds} or {seconds} * ({there} unless {last} unless ({known} unless {before}))",
        signals=(LAST_SUCCESS.id, RUNS.id, UP.id),
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
        cases=(*_not_running_cases(kit, job, gauge_name, label), _young(kit, job, runs_metric, runs_label)),
        window=look_back(job),
        labels={label: job.name},
        job=job.name,
    )


def look_back(job: Job) -> Duration:
    """Return how long the last success of `job` is remembered."""
    return job.cycle * 2


def _not_running_cases(kit: Kit, job: Job, metric: str, label: str) -> tuple[Case, ...]:
    names, wait, step = kit.names, kit.for_steps, kit.step.seconds
    up = names.metric(UP.id)
    # The first step at which more than a cycle has gone by since step 1, when the job succeeded.
    late = 1 + job.cycle.milliseconds // kit.step.milliseconds + 1
    end = late + wait + 2
    there = Sample(up, {}, gauge([(end, 1)]))
    success = Decimal(step)

    def last_success(*track: tuple[int, Decimal | None]) -> Sample:
        return Sample(metric, {label: job.name}, gauge(track))

    def age(at: int) -> tuple[tuple[dict[str, str], float], ...]:
        return (({}, float(at * step - success)),)

    overdue = [Fact(late - 1, "silent")]
    if wait:
        overdue += [Fact(late, "pending"), Fact(late + wait - 1, "pending")]
    overdue.append(Fact(late + wait, "firing", age(late + wait)))
    punctual = [(0, Decimal(0))]
    every = max(1, job.cycle.milliseconds // kit.step.milliseconds - 1)
    punctual += [(every, Decimal(number * every) * step) for number in range(-(-end // every) + 1)]
    # With no sample at the first step there is none a cycle before, either.
    first_seen = kit.steps(job.cycle)
    never = [Fact(first_seen - 1, "silent")]
    never.append(Fact(first_seen + wait + 1, "firing", (({}, float(job.cycle.seconds)),)))
    return (
        Case("for", "succeeds once and never again", (there, last_success((end, success))), tuple(overdue)),
        Case(
            "silent",
            "succeeds just in time again and again",
            (there, last_success(*punctual)),
            (Fact(late, "silent"), Fact(end, "silent")),
        ),
        Case(
            "gone",
            "succeeds once and the worker restarts",
            (there, last_success((2, success), (end, None))),
            (Fact(late - 1, "silent"), Fact(late + wait, "firing", age(late + wait))),
        ),
        Case("fires", "never succeeds", (there,), tuple(never)),
    )


def _young(kit: Kit, job: Job, metric: str, label: str) -> Case:
    """Write a job that is released to a service of two cycles' age, and never succeeds."""
    cycle, wait = kit.steps(job.cycle), kit.for_steps
    born = 2 * cycle
    due = born + cycle
    end = due + wait + 3
    return Case(
        "born",
        "a new job of an old service has a cycle to succeed",
        (
            Sample(kit.names.metric(UP.id), {}, gauge([(end, 1)])),
            Sample(metric, {label: job.name}, gauge([(born, None), (end - born, 0)])),
        ),
        (Fact(due - 1, "silent"), Fact(due + wait + 2, "firing", (({}, float(job.cycle.seconds)),))),
    )
