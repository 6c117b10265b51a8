"""The rule files of each SLO of a service, by how far they look back: hours, days, the whole period.

A test evaluates every rule of its file at every step, and as far as the longest window reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from obs.errors import SpecError
from obs.generate.derive.drafts import CannotDerive, Draft, Kit, finish
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.settings import Defaults, settle
from obs.generate.derive.slo import absent_guide, alerts, guide, measured, recordings, state_guide
from obs.generate.derive.slo.series import identity, recorded_by
from obs.generate.derive.slo.state_stories import idle
from obs.generate.derive.slo.windows import FAST, SLOW, threshold
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Alert, Duration, FreshnessSli, RuleFile, RuleGroup, Runbook, Service, Slo

Reach: TypeAlias = Literal["short", "long", "period"]
_MINUTE = Duration.parse("1m")
#: How far apart the steps of stories are: coarse, for a step costs an evaluation of every rule.
_STEPS: Mapping[Reach, Duration] = {
    "short": Duration.parse("10m"),
    "long": Duration.parse("2h"),
    "period": Duration.parse("10m"),
}
#: What looks back further than this stands among the long windows.
_SHORT = Duration.parse("6h")


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of an SLO: its author's proposal, its author, its guide, and the panel that shows it."""

    name: str
    defaults: Defaults
    author: Callable[[Kit, Slo], Draft]
    guide: Callable[[Sequence[Alert], Queries], Runbook]
    #: Which of the SLO's panels shows what it watches.
    panel: str = "burn"
    reach: Reach = "short"
    #: Only an SLO that has a budget for each of several label sets has it.
    grouped: bool = False

    def stands_in(self, reach: Reach, slo: Slo) -> bool:
        """Tell whether `slo` has it, in the file that reaches so far."""
        if self.grouped and not slo.by:
            return False
        far = self.author is measured.sli_absent and idle(slo) > _SHORT
        return ("long" if far else self.reach) == reach


_ENTRIES = (
    Entry("ErrorBudgetBurnFast", alerts.BURN_FAST, alerts.burn_fast, guide.burn_fast),
    Entry("SliMetricAbsent", measured.ABSENT, measured.sli_absent, absent_guide.sli_absent),
    Entry(
        "SloGroupsTooMany",
        measured.TOO_MANY,
        measured.too_many_groups,
        state_guide.too_many_groups,
        # Of all files this has the fewest rules that would go on to reckon with so many budgets.
        reach="period",
        grouped=True,
    ),
    Entry("ErrorBudgetBurnSlow", alerts.BURN_SLOW, alerts.burn_slow, guide.burn_slow, reach="long"),
    Entry(
        "ErrorBudgetExhausted",
        alerts.EXHAUSTED,
        alerts.exhausted,
        state_guide.exhausted,
        panel="budget",
        reach="period",
    ),
)
CATEGORY = "slo"
ALERTS = tuple(entry.name for entry in _ENTRIES)
#: Who writes the page of each alert.
GUIDES = {entry.name: entry.guide for entry in _ENTRIES}


def rule_files(service: Service) -> list[RuleFile]:
    """Return the files of each SLO.

    Raises `SpecError` for an objective whose alerts could never fire, and for one that the service's
    metrics cannot express.
    """
    return [file for slo in service.slos for file in _expressed(service, slo)]


def _expressed(service: Service, slo: Slo) -> tuple[RuleFile, ...]:
    try:
        return _files(service, slo)
    except CannotDerive as lack:
        raise SpecError(f"slos.{slo.name}: {lack.message}", str(slo.place), lack.hint) from None


def _files(service: Service, slo: Slo) -> tuple[RuleFile, ...]:
    for pair in (*FAST, *SLOW):
        threshold(pair, slo)
    names = Vocabulary.of(service, recorded_by(service, slo))
    stem = f"{service.name}-slo-{slo.name}"
    # What is recorded every minute need not be judged more often, but for what pages.
    pace = max(service.rule_interval, _MINUTE)
    return (
        _file(service, slo, names, ("short", stem, service.rule_interval), recordings.short_groups),
        _file(service, slo, names, ("long", f"{stem}-slow", pace), recordings.long_groups),
        _file(service, slo, names, ("period", f"{stem}-budget", pace), recordings.period_groups),
    )


def _file(
    service: Service,
    slo: Slo,
    names: Vocabulary,
    kind: tuple[Reach, str, Duration],
    record: Callable[[Service, Slo, Vocabulary], tuple[RuleGroup, ...]],
) -> RuleFile:
    reach, stem, pace = kind
    found = []
    for entry in _ENTRIES:
        settings = settle(service, entry.name, entry.defaults)
        if settings is not None and entry.stands_in(reach, slo):
            kit = Kit(service, names, settings, _STEPS[reach])
            panel = f"slo-{slo.name}-{entry.panel}"
            found.append(finish(entry.author(kit, slo), kit, category=CATEGORY, panel=panel))
    group = f"sloth-slo-alerts-{identity(service, slo)['sloth_id']}"
    alerts_ = RuleGroup(
        group if reach == "short" else f"{group}-{reach}", tuple(found), pace, recordings.limit(slo)
    )
    # An age is the older the later it is told of: no offset would make it more true.
    offset = None if isinstance(slo.sli, FreshnessSli) else service.query_offset
    return RuleFile(stem, (*record(service, slo, names), alerts_)).after(offset)
