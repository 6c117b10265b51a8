"""Runbooks of the burn alerts: one page for all SLOs of a service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obs.generate.derive.guidance.investigation import escalate, roll_back, take_out
from obs.generate.derive.guidance.queries import BUDGET_LEFT, BURN_RATE, Queries, percent, spell
from obs.generate.derive.slo import lines
from obs.generate.model import Action, Alert, Runbook, Slo, Step

_WINDOW = "5m"


def burn_fast(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ErrorBudgetBurnFast: at this rate the month's budget lasts days at most."""
    return _burn(
        alerts,
        ask,
        meaning=(
            "The service breaks its promise so fast that the error budget of the whole period would be gone in a few "
            "days. Two windows agree on it, a long one (it matters) and a short one (it goes on now)."
        ),
        impact=(
            "Users notice. Each hour at this rate costs as much budget as a normal day or more; when the budget "
            "is gone, releases stop until it has grown back."
        ),
        when="less than a tenth of the budget is left, or all requests fail",
    )


def burn_slow(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ErrorBudgetBurnSlow: the period will end without budget."""
    return _burn(
        alerts,
        ask,
        meaning=(
            "The service breaks its promise a little more often than it may, and has for hours or days. Nothing is "
            "on fire, but at this rate the error budget is gone before its period ends."
        ),
        impact=(
            "A small share of users is hit again and again. The budget that a release or a failover may need is being "
            "spent on a fault that somebody could repair."
        ),
        when="ErrorBudgetBurnFast fires as well",
    )


def _burn(alerts: Sequence[Alert], ask: Queries, *, meaning: str, impact: str, when: str) -> Runbook:
    slos = tuple(_watched(alerts, ask))
    return Runbook(
        alerts=tuple(alerts),
        meaning=f"{meaning}\n\n" + "\n".join(f"- {_promise(slo)}" for slo in slos),
        impact=impact,
        diagnosis=_diagnosis(slos, ask),
        mitigation=(
            roll_back(spell(_WINDOW)),
            take_out(spell(_WINDOW)),
            Action(
                "A dependency fails or is slow: switch off the feature that needs it, or limit how long it is waited for.",
                "the burn rate falls below 1 for all other requests.",
                f"5 minutes, and {spell(_WINDOW)} until the short window sees it.",
            ),
            Action(
                "The budget is nearly gone and the cause is not found: stop all releases of this service.",
                "no new risk is added while the search goes on.",
                "at once.",
            ),
        ),
        escalation=escalate(
            ask.service.team, urgent=any(alert.severity == "page" for alert in alerts), when=when
        ),
        verification=(
            Step(
                "The burn rate of each SLO is below 1, and what is left of its budget grows or stands still.",
                tuple(
                    query
                    for slo in slos
                    for query in (ask.slo(BURN_RATE, slo.name), ask.slo(BUDGET_LEFT, slo.name))
                ),
                (
                    ("both hold for the short window", "the alert ends; the long window forgets by and by."),
                    ("the burn rate stays above 1", "something still fails: go on with Diagnosis 1."),
                ),
            ),
        ),
    )


def _watched(alerts: Sequence[Alert], ask: Queries) -> Iterator[Slo]:
    named = {alert.slo for alert in alerts}
    return (slo for slo in ask.service.slos if slo.name in named)


def _promise(slo: Slo) -> str:
    share = f"{slo.objective.normalize():f} %"
    spare = percent(slo.budget)
    each = f", for each {' and '.join(slo.by)}" if slo.by else ""
    return f"`{slo.name}` promises over {slo.window.words}{each}: {lines.kept(slo, share)}; the error budget is the other {spare}."


def _diagnosis(slos: Sequence[Slo], ask: Queries) -> tuple[Step, ...]:
    """One step to tell the SLOs apart, then a line of investigation for each kind that there is."""
    steps: list[Step] = []
    ways: list[tuple[str, str]] = []
    for kind in lines.KINDS:
        start = 2 + len(steps)
        own = [slo for slo in slos if lines.kind_of(slo) is kind]
        if not own:
            continue
        ways += [(f"`{slo.name}` burns", f"{kind.trouble}; go on with step {start}.") for slo in own]
        steps += kind.steps(own, ask, start)
    rates = (
        f"topk(5, {ask.slo(BURN_RATE, slo.name)})" if slo.by else ask.slo(BURN_RATE, slo.name) for slo in slos
    )
    first = Step(
        "See which promise is being broken, and how fast: 1 spends the budget exactly in its period.",
        tuple(rates),
        (*ways, ("none burns any more", "it is over: go to Verification.")),
    )
    return (first, *steps)
