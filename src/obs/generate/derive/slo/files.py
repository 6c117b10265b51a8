"""The rule file of each SLO of a service."""

from __future__ import annotations

from obs.generate.derive.drafts import Kit, finish
from obs.generate.derive.settings import settle
from obs.generate.derive.slo import alerts, recordings
from obs.generate.derive.slo.windows import FAST, SLOW, threshold
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Duration, RuleFile, RuleGroup, Service, Slo

#: Alert, defaults, author, and the grid of its stories: coarse, for a step costs an evaluation of every rule.
_AUTHORS = (
    ("ErrorBudgetBurnFast", alerts.BURN_FAST, alerts.burn_fast, Duration.parse("10m")),
    ("ErrorBudgetBurnSlow", alerts.BURN_SLOW, alerts.burn_slow, Duration.parse("30m")),
    ("SliMetricAbsent", alerts.ABSENT, alerts.sli_absent, Duration.parse("10m")),
)
CATEGORY = "slo"
ALERTS = tuple(name for name, *_ in _AUTHORS)


def rule_files(service: Service) -> list[RuleFile]:
    """Return one file for each SLO; raise `SpecError` for an objective whose alerts could never fire."""
    return [_file(service, slo) for slo in service.slos]


def _file(service: Service, slo: Slo) -> RuleFile:
    for pair in (*FAST, *SLOW):
        threshold(pair, slo)
    names = Vocabulary.of(service, recordings.recorded((slo,)))
    found = []
    for name, defaults, author, step in _AUTHORS:
        settings = settle(service, name, defaults)
        if settings is not None:
            kit = Kit(service, names, settings, step)
            found.append(finish(author(kit, slo), kit, category=CATEGORY, panel=f"slo-{slo.name}-burn"))
    id_ = recordings.identity(service, slo)["sloth_id"]
    group = RuleGroup(f"sloth-slo-alerts-{id_}", tuple(found), service.rule_interval)
    return RuleFile(f"{service.name}-slo-{slo.name}", (*recordings.groups(service, slo, names), group))
