"""Stories of counters that are born: when their first value counts, and when it must not."""

from __future__ import annotations

from obs.catalogue.target import UP
from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import gauge

#: The step at which the counters of `first_sight_case` are seen for the first time.
FIRST_SIGHT = 3


def answering(kit: Kit, steps: int) -> Sample:
    """Return a target of the service that answers from the beginning: births count of such a one only."""
    return Sample(kit.names.metric(UP.id), {}, gauge([(steps, 1)]))


def earliest_birth(kit: Kit) -> int:
    """Return the step from which on a birth counts, where a target answers from the beginning."""
    return kit.steps(kit.settings.window + kit.settling)


def first_sight_steps(kit: Kit) -> int:
    """Return how many steps the counters of `first_sight_case` stand still after the first."""
    return kit.window_steps + kit.for_steps + 2


def first_sight_case(kit: Kit, counted: tuple[Sample, ...]) -> Case:
    """Return the case of a Prometheus that starts without a past.

    What `counted` gathered before (their first value stands at `FIRST_SIGHT`) did not happen just now,
    neither at once nor a window later. The target is looked for a step before it answers, and where the
    grid allows it another one has answered by then.
    """
    metric, k, end = kit.names.metric(UP.id), kit.window_steps, FIRST_SIGHT + first_sight_steps(kit)
    targets = [Sample(metric, {}, gauge([(FIRST_SIGHT - 2, None), (1, 0), (end - FIRST_SIGHT + 1, 1)]))]
    if not kit.settings.window.milliseconds % kit.step.milliseconds:
        targets.append(
            Sample(metric, {"instance": "earlier"}, gauge([(FIRST_SIGHT - 2, None), (end - 1, 1)]))
        )
    facts = sorted({FIRST_SIGHT, FIRST_SIGHT + 1, k + FIRST_SIGHT - 1, k + FIRST_SIGHT})
    return Case(
        "silent",
        "old events are seen for the first time",
        (*targets, *counted),
        tuple(Fact(at, "silent") for at in facts),
    )
