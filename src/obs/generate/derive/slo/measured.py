"""The alerts on whether an SLO can be measured: its events are not counted any more, or for too many budgets."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.target import UP
from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.settings import Defaults
from obs.generate.derive.slo import state_stories
from obs.generate.derive.slo.events import signals_of
from obs.generate.derive.slo.series import ALL_MINUTE, identity, series
from obs.generate.derive.slo.state_stories import idle
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Slo, Threshold

ABSENT = Defaults("ticket", Duration.parse("30m"))
TOO_MANY = Defaults("ticket", Duration.parse("15m"))


def sli_absent(kit: Kit, slo: Slo) -> Draft:
    """Return SliMetricAbsent: the service is there, but what its SLO is made of is not.

    A service that was just released, or restarted in a quiet night, has no series before its first
    request; it is given `idle` before that is trouble. What is recorded is asked for, not what it is
    recorded from, so that a recording rule that fails is noticed as well.
    """
    names, wait = kit.names, idle(slo)
    up = names.selector(names.metric(UP.id))
    events = series(ALL_MINUTE, kit.service, slo)
    return Draft(
        name="SliMetricAbsent",
        expr=(
            f"group by ({BY}) ({up} == 1) and group by ({BY}) (last_over_time({up}[2h] offset {wait})) "
            f"unless group by ({BY}) (last_over_time({events}[{wait}]))"
        ),
        signals=(*signals_of(slo), UP.id),
        threshold=Threshold(
            Decimal(0),
            "1",
            "==",
            f"the service answers scrapes, but no event of the SLI was counted for {wait}",
        ),
        summary=f"{{{{ $labels.service }}}}: the {slo.name} objective is not measured",
        description=(
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) is scraped, but the metric that its "
            f"{slo.name} objective is made of has been missing for {wait.words}: neither success nor failure is seen."
        ),
        cases=state_stories.absent_cases(kit, slo),
        window=wait,
        labels=identity(kit.service, slo),
        slo=slo.name,
        omits={
            "born": "a series that is born ends it",
            "for": "the case of the metric that vanishes and comes back shows the wait",
        },
    )


def too_many_groups(kit: Kit, slo: Slo) -> Draft:
    """Return SloGroupsTooMany: a label with endless values was chosen to tell budgets apart.

    Nothing is cut off at `max_groups`, for which budgets to drop would change from minute to minute;
    the rules themselves fail at ten times as many (the `limit` of their groups), which
    SliMetricAbsent tells.
    """
    events = series(ALL_MINUTE, kit.service, slo)
    return Draft(
        name="SloGroupsTooMany",
        expr=f"count by ({BY}) ({events}) > {slo.max_groups}",
        signals=signals_of(slo),
        threshold=Threshold(
            Decimal(slo.max_groups),
            "1",
            ">",
            f"the SLO is told apart into more than {slo.max_groups} budgets",
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} budgets for the {slo.name} objective",
        description=(
            f"The {slo.name} objective of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) is measured for each "
            f"{', '.join(slo.by)}, and there are {{{{ $value | humanize }}}} of them; {slo.max_groups} are expected at most."
        ),
        cases=state_stories.group_cases(kit, slo),
        window=Duration.parse("5m"),
        labels=identity(kit.service, slo),
        slo=slo.name,
        omits={
            "born": "counts budgets, not events",
            "for": "the case of one budget too many shows the wait",
            "gone": "fewer budgets are what it asks for",
        },
    )
