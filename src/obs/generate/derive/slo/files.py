"""The rule files of each SLO of a service: short windows in one, what looks back for days in another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from obs.generate.derive.drafts import Draft, Kit, finish
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.settings import Defaults, settle
from obs.generate.derive.slo import absent_guide, alerts, guide, measured, recordings, state_guide
from obs.generate.derive.slo.series import identity, recorded_by
from obs.generate.derive.slo.windows import FAST, SLOW, threshold
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Alert, Duration, RuleFile, RuleGroup, Runbook, Service, Slo

#: Stories of the short windows, and of the long ones: coarse, for a step costs an evaluation of every rule.
_STEP, _LONG_STEP = Duration.parse("10m"), Duration.parse("2h")
#: What looks back further than this stands among the long windows.
_SHORT_LOOK_BACK = Duration.parse("6h")
_MINUTE = Duration.parse("1m")


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of an SLO: its author's proposal, its author, its guide, and the panel that shows it."""

    name: str
    defaults: Defaults
    author: Callable[[Kit, Slo], Draft]
    guide: Callable[[Sequence[Alert], Queries], Runbook]
    #: Which of the SLO's panels shows what it watches.
    panel: str = "burn"
    #: How far it looks back; None where that depends on the SLO.
    window: Duration | None = None
    #: Only an SLO that has a budget for each of several label sets has it.
    grouped: bool = False

    def is_long(self, slo: Slo) -> bool:
        """Tell whether it belongs to the long windows of `slo`."""
        return (self.window or measured.idle(slo)) > _SHORT_LOOK_BACK


_ENTRIES = (
    Entry("ErrorBudgetBurnFast", alerts.BURN_FAST, alerts.burn_fast, guide.burn_fast, window=FAST[-1].long),
    Entry("SliMetricAbsent", measured.ABSENT, measured.sli_absent, absent_guide.sli_absent),
    Entry(
        "SloGroupsTooMany",
        measured.TOO_MANY,
        measured.too_many_groups,
        state_guide.too_many_groups,
        window=_MINUTE,
        grouped=True,
    ),
    Entry("ErrorBudgetBurnSlow", alerts.BURN_SLOW, alerts.burn_slow, guide.burn_slow, window=SLOW[-1].long),
    Entry(
        "ErrorBudgetExhausted",
        alerts.EXHAUSTED,
        alerts.exhausted,
        state_guide.exhausted,
        panel="budget",
        window=Duration.parse("7d"),
    ),
)
CATEGORY = "slo"
ALERTS = tuple(entry.name for entry in _ENTRIES)
#: Who writes the page of each alert.
GUIDES = {entry.name: entry.guide for entry in _ENTRIES}


def rule_files(service: Service) -> list[RuleFile]:
    """Return the files of each SLO; raise `SpecError` for an objective whose alerts could never fire."""
    return [file for slo in service.slos for file in _files(service, slo)]


def _files(service: Service, slo: Slo) -> tuple[RuleFile, RuleFile]:
    for pair in (*FAST, *SLOW):
        threshold(pair, slo)
    names = Vocabulary.of(service, recorded_by(service, slo))
    stem = f"{service.name}-slo-{slo.name}"
    fast, slow = (_alerts(service, slo, names, long=long) for long in (False, True))
    group = f"sloth-slo-alerts-{identity(service, slo)['sloth_id']}"
    limit = slo.max_groups * recordings.FAR_TOO_MANY if slo.by else None
    short = RuleFile(
        stem,
        (
            *recordings.short_groups(service, slo, names),
            RuleGroup(group, tuple(fast), service.rule_interval, limit),
        ),
    )
    # What is recorded every few minutes need not be judged more often than once a minute.
    pace = max(service.rule_interval, _MINUTE)
    far = (
        *recordings.long_groups(service, slo, names),
        RuleGroup(f"{group}-slow", tuple(slow), pace, limit),
    )
    return short, RuleFile(f"{stem}-slow", far)


def _alerts(service: Service, slo: Slo, names: Vocabulary, *, long: bool) -> list[Alert]:
    found = []
    for entry in _ENTRIES:
        settings = settle(service, entry.name, entry.defaults)
        if settings is None or entry.is_long(slo) != long or (entry.grouped and not slo.by):
            continue
        kit = Kit(service, names, settings, _LONG_STEP if long else _STEP)
        panel = f"slo-{slo.name}-{entry.panel}"
        found.append(finish(entry.author(kit, slo), kit, category=CATEGORY, panel=panel))
    return found
