"""Alerts of a worker that runs tasks: one for each task."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.tasks import OUTCOME, QUEUE_TIME, RUNS, TASK
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.quantile import Quantile, quantile_cases, quantile_expr
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.model import Duration, Threshold

FAILURES_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal("0.1"), "ratio", Duration.parse("15m"))
WAITS_LONG = Defaults("ticket", Duration.parse("10m"), Decimal(60), "s", Duration.parse("10m"))

#: A run that is retried is not lost, and one that was revoked was not wanted.
LOST = ("failure", "rejected")
_MIN_BAD_RUNS = 3
_STORY_TASK = "shop.send_mail"


def failure_ratio_high(kit: Kit) -> Draft:
    """Return TaskFailureRatioHigh: too many runs of a task end without success."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(RUNS.id)
    task, outcome = names.label(RUNS.id, TASK.name), names.label(RUNS.id, OUTCOME.name)
    lost = total(events(kit, names.selector(metric, f'{outcome}=~"{"|".join(LOST)}"')), task)
    runs = total(events(kit, names.selector(metric)), task)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        own = {"instance": instance, task: _STORY_TASK}
        return (
            Sample(metric, {**own, outcome: "success"}, counter(good(story))),
            Sample(metric, {**own, outcome: "failure"}, counter(bad(story))),
        )

    return Draft(
        name="TaskFailureRatioHigh",
        expr=share_of_bad(lost, runs, _MIN_BAD_RUNS, f"{line:f}"),
        signals=(RUNS.id,),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the runs of {window} of a task fail"
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of {{{{ $labels.{task} }}}} fail",
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the runs of task {{{{ $labels.{task} }}}} of "
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) in the last {window} failed or were rejected; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(kit, write, share_value, line=line, floor=_MIN_BAD_RUNS, shows={task: _STORY_TASK}),
        window=window,
        omits=OMITS,
    )


def waits_long(kit: Kit) -> Draft:
    """Return TaskWaitsLong: one run in twenty of a task starts long after it was due."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    task = names.label(QUEUE_TIME.id, TASK.name)
    what = Quantile(
        "TaskWaitsLong",
        QUEUE_TIME,
        Decimal("0.95"),
        _MIN_BAD_RUNS,
        by=(task,),
        sample={task: _STORY_TASK},
    )
    return Draft(
        name=what.alert,
        expr=quantile_expr(kit, what),
        signals=(QUEUE_TIME.id,),
        threshold=Threshold(
            line, "s", ">", f"5 % of the runs of {window} of a task wait for longer than {words(line, 's')}"
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $labels.{task} }}}} waits for {{{{ $value | humanizeDuration }}}}",
        description=(
            f"One in twenty runs of task {{{{ $labels.{task} }}}} of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) in the last {window} started more than {{{{ $value | humanizeDuration }}}} "
            f"after it was due; the alert watches for more than {words(line, 's')}."
        ),
        cases=quantile_cases(kit, what),
        window=window,
        omits=OMITS,
    )
