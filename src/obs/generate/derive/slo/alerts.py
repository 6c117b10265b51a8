"""The alerts on how an SLO's budget is spent: it burns fast, it burns slowly, it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from obs.generate.derive.drafts import Case, Draft, Kit, words
from obs.generate.derive.settings import Defaults
from obs.generate.derive.slo import state_stories, stories
from obs.generate.derive.slo.events import signals_of
from obs.generate.derive.slo.scenes import groups
from obs.generate.derive.slo.series import (
    BAD_MINUTE,
    BAD_SPAN,
    BUDGET_LEFT,
    bad_period,
    error_ratio,
    identity,
    series,
)
from obs.generate.derive.slo.windows import FAST, SLOW, BurnWindow, threshold
from obs.generate.model import CustomSli, Duration, FreshnessSli, Kind, Slo, Threshold

BURN_FAST = Defaults("page", Duration(0))
BURN_SLOW = Defaults("ticket", Duration(0))
EXHAUSTED = Defaults("ticket", Duration.parse("5m"))

_ELSEWHERE = "told with minutes; ErrorBudgetBurnFast shows how events become minutes, from the first one on"
_GONE = "SliMetricAbsent and TargetDown tell of series that are gone"


@dataclass(frozen=True, slots=True)
class _Burn:
    """What makes the difference between the two burn alerts."""

    name: str
    pairs: tuple[BurnWindow, ...]
    sloth_severity: str
    #: The series whose sum over the long window must reach the floor.
    bad: str
    cases: tuple[Case, ...]
    omits: Mapping[Kind, str]


def burn_fast(kit: Kit, slo: Slo) -> Draft:
    """Return ErrorBudgetBurnFast: within days nothing of the budget would be left."""
    omits: dict[Kind, str] = {"gone": _GONE}
    if isinstance(slo.sli, FreshnessSli):
        omits["born"] = "a timestamp is judged from its first sample on, whatever it is"
    if isinstance(slo.sli, CustomSli):
        omits["born"] = "the author's own PromQL decides what the birth of a series counts"
    cases = stories.fast_cases(kit, slo)
    return _burn(kit, slo, _Burn("ErrorBudgetBurnFast", FAST, "page", BAD_MINUTE, cases, omits))


def burn_slow(kit: Kit, slo: Slo) -> Draft:
    """Return ErrorBudgetBurnSlow: the budget will not last for the period."""
    cases = stories.slow_cases(kit, slo)
    omits: dict[Kind, str] = {"born": _ELSEWHERE, "gone": _GONE}
    return _burn(kit, slo, _Burn("ErrorBudgetBurnSlow", SLOW, "ticket", BAD_SPAN, cases, omits))


def _burn(kit: Kit, slo: Slo, burn: _Burn) -> Draft:
    lines = [threshold(pair, slo) for pair in burn.pairs]
    gone_in = [Duration(int(slo.window.milliseconds / pair.factor(slo.window))) for pair in burn.pairs]
    watched = list(zip(burn.pairs, lines, strict=True))
    return Draft(
        name=burn.name,
        expr=" or ".join(_pair(kit, slo, pair, line, burn.bad) for pair, line in watched),
        signals=signals_of(slo),
        threshold=Threshold(
            min(lines),
            "ratio",
            ">",
            " or ".join(
                f"more than {words(line, 'ratio')} bad events over {pair.long} and {pair.short} "
                f"(budget gone in {gone})"
                for (pair, line), gone in zip(watched, gone_in, strict=True)
            ),
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} bad events burn the {slo.name} budget",
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the events of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}){group_text(kit, slo)} miss the {slo.name} objective of {promise(slo)}; "
            f"at this speed the budget is gone in {gone_in[0]} to {gone_in[-1]}, or sooner."
        ),
        cases=burn.cases,
        window=max(pair.long for pair in burn.pairs),
        labels={**identity(kit.service, slo), "sloth_severity": burn.sloth_severity},
        slo=slo.name,
        omits=burn.omits,
    )


def _pair(kit: Kit, slo: Slo, pair: BurnWindow, line: Decimal, bad: str) -> str:
    """Return the condition of one pair of windows, with a floor on the bad events of the long one."""

    def over(window: Duration) -> str:
        ratio = series(error_ratio(window), kit.service, slo)
        return f"max without (sloth_window) ({ratio}) > {line:f}"

    seen = f"sum_over_time({series(bad, kit.service, slo)}[{pair.long}])"
    return f"({over(pair.short)} and {over(pair.long)} and {seen} >= {slo.min_bad_events})"


def exhausted(kit: Kit, slo: Slo) -> Draft:
    """Return ErrorBudgetExhausted: the promise is broken, whatever happens next."""
    left = f"max without (sloth_window) ({series(BUDGET_LEFT, kit.service, slo)})"
    seen = series(bad_period(slo), kit.service, slo)
    return Draft(
        name="ErrorBudgetExhausted",
        expr=f"{left} <= 0 and {seen} >= {slo.min_bad_events}",
        signals=signals_of(slo),
        threshold=Threshold(
            Decimal(0), "ratio", "<=", f"nothing is left of the error budget of {promise(slo)}"
        ),
        summary=f"{{{{ $labels.service }}}}: the {slo.name} budget is spent",
        description=(
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}){group_text(kit, slo)} has missed the {slo.name} "
            f"objective of {promise(slo)}: {{{{ $value | humanizePercentage }}}} of the error budget is left."
        ),
        cases=state_stories.exhausted_cases(kit, slo),
        window=slo.window,
        labels=identity(kit.service, slo),
        slo=slo.name,
        omits={"born": _ELSEWHERE, "gone": "what was spent stays spent when series are gone"},
    )


def promise(slo: Slo) -> str:
    """Return the objective as people say it: ``99.9 % over 30d``."""
    return f"{slo.objective.normalize():f} % over {slo.window}"


def group_text(kit: Kit, slo: Slo) -> str:
    """Return the template that names the budget of a grouped SLO."""
    labels = groups(kit, slo)
    return "".join(f", {label} {{{{ $labels.{label} }}}}" for label in labels)
