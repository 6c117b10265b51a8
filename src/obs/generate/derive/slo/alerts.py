"""The alerts of an SLO: the budget burns fast, it burns slowly, and nobody measures it any more."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.target import UP
from obs.generate.derive.drafts import Draft, Kit, words
from obs.generate.derive.settings import Defaults
from obs.generate.derive.slo import stories
from obs.generate.derive.slo.events import signals_of
from obs.generate.derive.slo.recordings import BAD_MINUTE, ERROR_RATIO, identity, series, total_metric
from obs.generate.derive.slo.windows import FAST, SLOW, BurnWindow, threshold
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Slo, Threshold

BURN_FAST = Defaults("page", Duration(0))
BURN_SLOW = Defaults("ticket", Duration(0))
ABSENT = Defaults("ticket", Duration.parse("30m"))


def burn_fast(kit: Kit, slo: Slo) -> Draft:
    """Return ErrorBudgetBurnFast: within days nothing of the budget would be left."""
    return _burn("ErrorBudgetBurnFast", kit, slo, FAST, "page")


def burn_slow(kit: Kit, slo: Slo) -> Draft:
    """Return ErrorBudgetBurnSlow: the budget will not last for the period."""
    return _burn("ErrorBudgetBurnSlow", kit, slo, SLOW, "ticket")


def _burn(name: str, kit: Kit, slo: Slo, pairs: tuple[BurnWindow, ...], sloth_severity: str) -> Draft:
    lines = [threshold(pair, slo) for pair in pairs]
    gone_in = [Duration(int(slo.window.milliseconds / pair.factor(slo.window))) for pair in pairs]
    return Draft(
        name=name,
        expr=" or ".join(_pair(kit, slo, pair, line) for pair, line in zip(pairs, lines, strict=True)),
        signals=_signals(slo),
        threshold=Threshold(
            min(lines),
            "ratio",
            ">",
            " or ".join(
                f"more than {words(line, 'ratio')} bad events over {pair.long} and {pair.short} "
                f"(budget gone in {gone})"
                for pair, line, gone in zip(pairs, lines, gone_in, strict=True)
            ),
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} bad events burn the {slo.name} budget",
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the events of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) miss the {slo.name} objective of {slo.objective.normalize():f} % over "
            f"{slo.window}; at this speed the budget is gone in {gone_in[0]} to {gone_in[-1]}, or sooner."
        ),
        cases=stories.burn_cases(kit, slo, name),
        window=max(pair.long for pair in pairs),
        labels={**identity(kit.service, slo), "sloth_severity": sloth_severity},
        slo=slo.name,
        omits={"gone": "SliMetricAbsent and TargetDown tell of series that are gone"},
    )


def _pair(kit: Kit, slo: Slo, pair: BurnWindow, line: Decimal) -> str:
    """Return the condition of one pair of windows, with a floor on the bad events of the long one."""

    def over(window: Duration) -> str:
        ratio = series(f"{ERROR_RATIO}{window}", kit.service, slo)
        return f"max without (sloth_window) ({ratio}) > {line:f}"

    bad = f"sum_over_time({series(BAD_MINUTE, kit.service, slo)}[{pair.long}])"
    return f"({over(pair.short)} and {over(pair.long)} and {bad} >= {slo.min_bad_events})"


def sli_absent(kit: Kit, slo: Slo) -> Draft:
    """Return SliMetricAbsent: the service is there, but what its SLO is made of is not.

    A service that was just released, or restarted in a quiet night, has no series before its first
    request; it is given `stories.IDLE` before that is trouble.
    """
    names = kit.names
    up = names.selector(names.metric(UP.id))
    events = total_metric(slo, names)
    return Draft(
        name="SliMetricAbsent",
        expr=(
            f"group by ({BY}) ({up} == 1) and group by ({BY}) (last_over_time({up}[1h] offset {stories.IDLE})) "
            f"unless group by ({BY}) (last_over_time({events}[{stories.IDLE}]))"
        ),
        signals=(*_signals(slo), UP.id),
        threshold=Threshold(
            Decimal(0),
            "1",
            "==",
            f"the service answers scrapes, but has had no series for the SLI for {stories.IDLE}",
        ),
        summary=f"{{{{ $labels.service }}}}: the {slo.name} objective is not measured",
        description=(
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) is scraped, but the metric that its "
            f"{slo.name} objective is made of has been missing for {stories.IDLE.words}: neither success nor failure is seen."
        ),
        cases=stories.absent_cases(kit, slo),
        window=stories.IDLE,
        labels=identity(kit.service, slo),
        slo=slo.name,
        omits={
            "born": "a series that is born ends it",
            "for": "the case of the metric that vanishes and comes back shows the wait",
        },
    )


def _signals(slo: Slo) -> tuple[str, ...]:
    return signals_of(slo)
