"""Runbooks of a budget that is spent, and of an SLO with too many budgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obs.generate.derive.guidance.investigation import escalate, recent_change
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.slo.events import group_labels
from obs.generate.derive.slo.series import (
    ALL_MINUTE,
    BAD_SPAN,
    BUDGET_LEFT,
    BURN_RATE,
    all_period,
    bad_period,
    series,
)
from obs.generate.model import Action, Alert, Runbook, Slo, Step


def exhausted(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ErrorBudgetExhausted: the promise is broken."""
    slos = tuple(_watched(alerts, ask))
    promises = ", ".join(
        f"`{slo.name}` ({slo.objective.normalize():f} % over {slo.window.words})" for slo in slos
    )
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More events were bad than a promise of {ask.service.name} allows for its whole period: {promises}. The budget "
            "grows back only as the bad hours leave the period, so this alert stays for days after the cause is gone."
        ),
        impact=(
            "The objective is missed, whatever happens next. Every further failure, a planned one included, makes "
            "the figure that is reported worse."
        ),
        diagnosis=(
            Step(
                "See whether it still goes on: 1 is the speed that the budget allows.",
                tuple(series(BURN_RATE, ask.service, slo) for slo in slos),
                (
                    (
                        "the rate is above 1",
                        "follow ErrorBudgetBurnFast or ErrorBudgetBurnSlow first: it still burns.",
                    ),
                    ("the rate is below 1", "the damage is in the past; go on with step 2."),
                ),
            ),
            Step(
                "See how many events were bad, of how many, over the period.",
                tuple(
                    query
                    for slo in slos
                    for query in (
                        series(bad_period(slo), ask.service, slo),
                        series(all_period(slo), ask.service, slo),
                    )
                ),
                (
                    (
                        "there are few events at all",
                        "the objective asks more than so little traffic can show: Mitigation 3.",
                    ),
                    ("there are many", "go on with step 3."),
                ),
            ),
            Step(
                "Find the hours that spent it: bad events of each hour, over the last days.",
                tuple(f"sum_over_time({series(BAD_SPAN, ask.service, slo)}[1h])" for slo in slos),
                (
                    ("one incident spent most of it", "its report names the repair; see that it is done."),
                    ("it was spent evenly", "a standing fault: go on with step 4."),
                ),
            ),
            recent_change(ask, 1),
        ),
        mitigation=(
            Action(
                "Stop releases of this service that are not repairs, until the budget has grown back above 0.",
                "no new risk is added to a promise that is already broken.",
                "at once.",
            ),
            Action(
                "Put the repair of what spent most of the budget before everything else that is planned.",
                "the next period begins without the same fault.",
                "days.",
            ),
            Action(
                "Nobody misses what was promised: lower the objective in the spec, with the owner's word, and generate again.",
                "the alert ends with the next evaluation.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="a contract with customers names this objective",
        ),
        verification=(
            Step(
                "What is left of the budget is above 0.",
                tuple(series(BUDGET_LEFT, ask.service, slo) for slo in slos),
                (
                    ("it is above 0", "the alert ends."),
                    ("it is below 0 but rises", "the bad hours leave the period; nothing is left to do."),
                ),
            ),
        ),
    )


def too_many_groups(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """SloGroupsTooMany: a label has more values than anybody expected."""
    slos = tuple(_watched(alerts, ask))
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An SLO of {ask.service.name} has a budget for each value of a label, and there are more values than its "
            "spec expects. Each of them records about twenty series."
        ),
        impact=(
            "Users notice nothing. Prometheus records more and more, and at ten times the expected number the rules fail "
            "and the SLO is blind."
        ),
        diagnosis=(
            Step(
                "Find the label that has too many values.",
                tuple(
                    f"count(count by ({label}) ({series(ALL_MINUTE, ask.service, slo)}))"
                    for slo in slos
                    for label in group_labels(slo, ask.names)
                ),
                (
                    ("its values are ids or raw paths", "the instrumentation invents values: Mitigation 1."),
                    ("its values are all meant", "the service has grown: Mitigation 2."),
                ),
            ),
            recent_change(ask, 1),
        ),
        mitigation=(
            Action(
                "Give the label a bounded value (a route's template, not its path), and release.",
                "old series vanish an hour after the last instance that had them.",
                "one release.",
            ),
            Action(
                "Raise max_groups in the spec, or choose another label in by, and generate again.",
                "the alert ends with the next evaluation.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="Prometheus itself runs short of memory",
        ),
        verification=(
            Step(
                "There are fewer budgets than the spec expects.",
                tuple(f"count({series(ALL_MINUTE, ask.service, slo)})" for slo in slos),
                (
                    ("fewer than max_groups", "the alert ends."),
                    ("still more", "old instances are still running: go on with Diagnosis 2."),
                ),
            ),
        ),
    )


def _watched(alerts: Sequence[Alert], ask: Queries) -> Iterator[Slo]:
    named = {alert.slo for alert in alerts}
    return (slo for slo in ask.service.slos if slo.name in named)
