"""Ways from a step to an action of the same page, whose number only the finished page knows."""

from __future__ import annotations

from dataclasses import replace

from obs.generate.model import Action, Runbook, Step

#: Stands in an outcome for "roll back" and where the page says how.
ROLL_BACK = "{roll back}"
#: What the action does that this leads to, whatever its effect and its time on a page.
ROLLED_BACK = "A release came just before: roll back to the previous version, with the tool that deployed it."


def located(runbook: Runbook) -> Runbook:
    """Return `runbook` with the numbers of its actions in place of what stands for them.

    A page without the action says in the step itself what to do.
    """
    told = _told(runbook.mitigation)

    def step(one: Step) -> Step:
        return replace(one, outcomes=tuple((seen, to.replace(ROLL_BACK, told)) for seen, to in one.outcomes))

    return replace(
        runbook,
        diagnosis=tuple(map(step, runbook.diagnosis)),
        verification=tuple(map(step, runbook.verification)),
    )


def _told(actions: tuple[Action, ...]) -> str:
    for number, action in enumerate(actions, start=1):
        if action.text == ROLLED_BACK:
            return f"roll back: Mitigation {number}"
    return "roll back, with the tool that deployed it"
