"""The alert on jobs whose runs fail."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.jobs import JOB_NAME, RESULT, RUNS
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.derive.vocabulary import matcher
from obs.generate.model import Duration, Threshold

FAILURES_HIGH = Defaults("ticket", Duration.parse("5m"), Decimal("0.1"), "ratio", Duration.parse("1h"))

#: A nightly job fails once a night: one failed run must be enough.
MIN_FAILED_RUNS = 1
_STORY_JOB = "story"


def failure_ratio_high(kit: Kit) -> Draft:
    """Return JobFailureRatioHigh: too many runs of a job fail."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(RUNS.id)
    name, result = names.label(RUNS.id, JOB_NAME.name), names.label(RUNS.id, RESULT.name)
    failed = events(kit, names.selector(metric, matcher(result, "failure")))
    runs = events(kit, names.selector(metric))

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
