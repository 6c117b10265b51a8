"""What the rules of an SLO record: names, labels, selectors. The names are sloth's where it has one."""

from __future__ import annotations

from obs.generate.derive.slo.events import group_labels, read_metrics
from obs.generate.derive.slo.windows import RECORDED
from obs.generate.derive.vocabulary import SLOTH_LABELS, Vocabulary, escape
from obs.generate.model import Duration, Service, Slo

#: All events and bad events of one minute.
ALL_MINUTE = "slo:sli_events:increase1m"
BAD_MINUTE = "slo:sli_bad_events:increase1m"
#: The same, summed over `SPAN`, each event once.
SPAN = Duration.parse("4m")
ALL_SPAN = f"slo:sli_events:increase{SPAN}"
BAD_SPAN = f"slo:sli_bad_events:increase{SPAN}"
#: 1 where events count, 0 in planned downtime.
COUNTED = "slo:sli_counted:bool"
ERROR_RATIO = "slo:sli_error:ratio_rate"
OBJECTIVE = "slo:objective:ratio"
BUDGET = "slo:error_budget:ratio"
PERIOD_DAYS = "slo:time_period:days"
BURN_RATE = "slo:current_burn_rate:ratio"
PERIOD_BURN_RATE = "slo:period_burn_rate:ratio"
BUDGET_LEFT = "slo:period_error_budget_remaining:ratio"
INFO = "sloth_slo_info"

#: Target labels that survive the aggregation of the recording rules.
KEPT = frozenset({"service", "environment"})
_INFO_LABELS = frozenset({"sloth_mode", "sloth_objective", "sloth_spec", "sloth_version"})


def all_period(slo: Slo) -> str:
    """Return the name of the series of all events of the whole period."""
    return f"slo:sli_events:increase{slo.window}"


def bad_period(slo: Slo) -> str:
    """Return the name of the series of bad events of the whole period."""
    return f"slo:sli_bad_events:increase{slo.window}"


def error_ratio(window: Duration) -> str:
    """Return the name of the series of the ratio of bad events over `window`."""
    return f"{ERROR_RATIO}{window}"


def recorded(service: Service) -> dict[str, frozenset[str]]:
    """Return every series that the rules of the SLOs of `service` record, with its labels."""
    known: dict[str, frozenset[str]] = {}
    for slo in service.slos:
        for name, labels in recorded_by(service, slo).items():
            known[name] = known.get(name, frozenset()) | labels
    return known


def recorded_by(service: Service, slo: Slo) -> dict[str, frozenset[str]]:
    """Return every series that the rules of one SLO record, and what they read beside the contract."""
    names = Vocabulary.of(service)
    labels = SLOTH_LABELS | KEPT | frozenset(group_labels(slo, names))
    events = (ALL_MINUTE, BAD_MINUTE, ALL_SPAN, BAD_SPAN, all_period(slo), bad_period(slo))
    ratios = [error_ratio(window) for window in (*RECORDED, slo.window)]
    meta = (COUNTED, OBJECTIVE, BUDGET, PERIOD_DAYS, BURN_RATE, PERIOD_BURN_RATE, BUDGET_LEFT)
    known = dict.fromkeys((*events, *ratios, *meta), labels)
    return {**known, INFO: labels | _INFO_LABELS, **read_metrics(slo, names)}


def identity(service: Service, slo: Slo) -> dict[str, str]:
    """Return the labels that everything of one SLO carries."""
    return {
        "sloth_id": f"{service.name}-{slo.name}",
        "sloth_service": service.name,
        "sloth_slo": slo.name,
    }


def series(metric: str, service: Service, slo: Slo) -> str:
    """Return the selector of a recorded series of one SLO, in the service's environment."""
    labels = {name: value for name, value in service.select.items() if name in KEPT}
    return _selector(metric, {**labels, **identity(service, slo)})


def constant(metric: str, service: Service, slo: Slo) -> str:
    """Return the selector of a recorded series that is the same in every environment."""
    return _selector(metric, {"service": service.name, **identity(service, slo)})


def _selector(metric: str, labels: dict[str, str]) -> str:
    matchers = ", ".join(f'{name}="{escape(value)}"' for name, value in sorted(labels.items()))
    return f"{metric}{{{matchers}}}"
