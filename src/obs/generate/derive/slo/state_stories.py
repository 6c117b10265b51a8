"""Stories for the alerts on the state of an SLO: spent, not measured, too many budgets."""

from __future__ import annotations

from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import Phase
from obs.generate.derive.slo.events import memory
from obs.generate.derive.slo.scenes import Scene
from obs.generate.derive.slo.stories import BUSY, NONE, burning, clean, shown, whole
from obs.generate.model import Duration, FreshnessSli, Slo

#: A service without a request for so long has none in a quiet night, or no working instrumentation.
_IDLE = Duration.parse("6h")


def idle(slo: Slo) -> Duration:
    """Return how long an SLO may go without any event: a nightly job has none all day."""
    return max(_IDLE, memory(slo.sli)) if isinstance(slo.sli, FreshnessSli) else _IDLE


def exhausted_cases(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Return the cases of ErrorBudgetExhausted."""
    scene, wait = Scene.of(kit, slo), kit.for_steps
    end = wait + 2
    over, within = whole(slo.budget * Decimal("1.25")), whole(slo.budget * Decimal("0.98"))
    floor = Decimal(slo.min_bad_events)
    few, enough = floor * Decimal("0.9") / (end + 1), floor * Decimal("1.1") / end
    spent = shown(kit, slo, 1 - over / slo.budget)
    # Of 11 clean samples and n that burn three times too fast, 3n / (11 + n) of the budget is spent.
    late, fired = 10 + 6, 6 + wait
    broken = shown(kit, slo, 1 - Decimal(3 * fired) / (11 + fired))
    facts = [
        Fact(late - 1, "silent"),
        *([Fact(late, "pending")] if wait else []),
        Fact(late + wait, "firing", broken),
    ]
    return (
        Case("fires", "more than the budget is spent", scene.spans([burning(end, over)]), (Fact(end, "firing", spent),)),
        Case("silent", "nearly all of the budget is spent", scene.spans([burning(end, within)]), (Fact(end, "silent"),)),
        Case("silent", "spent by too few events", scene.spans([Phase(end, NONE, few)]), (Fact(end, "silent"),)),
        Case(
            "fires",
            "spent by just enough events",
            scene.spans([Phase(end, NONE, enough)]),
            (Fact(end, "firing", shown(kit, slo, 1 - 1 / slo.budget)),),
        ),
        Case("for", "spends what it has", scene.spans([clean(10), burning(fired, whole(slo.budget * 3))]), tuple(facts)),
    )  # fmt: skip


def absent_cases(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Return the cases of the alert on an SLI that nobody measures."""
    scene = Scene.of(kit, slo)
    wait, span = kit.for_steps, kit.steps(idle(slo))
    end = span + wait + 12

    def measured(*phases: Phase) -> tuple[Sample, ...]:
        return scene.minutes(phases)[:1]

    there = Phase(3, BUSY, NONE)
    # The last sample, of step 3, leaves the look-back one step sooner from Prometheus 3 on.
    early, late = 3 + span, 3 + span + 1
    absent: tuple[tuple[dict[str, str], float], ...] = (({}, 1.0),)
    facts = [Fact(early - 1, "silent")]
    if early + wait > late:
        facts += [Fact(late, "pending"), Fact(early + wait - 1, "pending")]
    facts += [Fact(late + wait, "firing", absent), Fact(late + wait + 4, "silent")]
    return (
        Case(
            "fires",
            "the metric was never there",
            (scene.up(end),),
            (Fact(span - 2, "silent"), Fact(span + wait + 2, "firing", absent)),
        ),
        Case(
            "silent",
            "the metric is there",
            (scene.up(end), *measured(Phase(end, BUSY, NONE))),
            (Fact(end, "silent"),),
        ),
        Case(
            "silent",
            "a restart in a quiet night",
            (scene.up(end), *measured(there, Phase(span - 2, None, None), there)),
            (Fact(span + 2, "silent"), Fact(span + 4, "silent")),
        ),
        Case("silent", "the service itself is down", (scene.up(end, value=0),), (Fact(end, "silent"),)),
        Case(
            "gone",
            "the metric vanishes and comes back",
            (scene.up(end), *measured(there, Phase(span + wait + 2, None, None), there)),
            tuple(facts),
        ),
    )


def group_cases(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Return the cases of a grouped SLO with just as many budgets as it may have, and with one more."""
    scene, wait = Scene.of(kit, slo), kit.for_steps
    end = wait + 2

    def budgets(count: int) -> tuple[Sample, ...]:
        return tuple(scene.minutes([clean(end)], f"g{number}")[0] for number in range(count))

    crowd: tuple[tuple[dict[str, str], float], ...] = (({}, float(slo.max_groups + 1)),)
    facts = [Fact(1, "pending")] if wait > 1 else []
    return (
        Case("fires", "one budget too many", budgets(slo.max_groups + 1), (*facts, Fact(end, "firing", crowd))),
        Case("silent", "as many budgets as it may have", budgets(slo.max_groups), (Fact(end, "silent"),)),
    )  # fmt: skip
