"""What is recorded for an SLO, under sloth's names and labels, weighted by events.

The chain is: events of each minute, exact -> ratios over every window of the alerts; and sums over
each hour -> the ratio over the whole period. A ratio of sums weighs each event the same; an average
of ratios would let one quiet bad hour outweigh a busy day.
"""

from __future__ import annotations

from collections.abc import Mapping

from obs.generate.derive.promql import checked
from obs.generate.derive.slo.events import last_minute
from obs.generate.derive.slo.windows import RECORDED
from obs.generate.derive.vocabulary import SLOTH_LABELS, Vocabulary, escape
from obs.generate.model import Duration, LatencySli, RatioSli, RecordingRule, RuleGroup, Service, Slo

ALL_MINUTE = "slo:sli_events:increase1m"
BAD_MINUTE = "slo:sli_bad_events:increase1m"
ALL_HOUR = "slo:sli_events:increase1h"
BAD_HOUR = "slo:sli_bad_events:increase1h"
ERROR_RATIO = "slo:sli_error:ratio_rate"

_MINUTE = Duration.parse("1m")
#: Sums over an hour, taken four times an hour: the overlap cancels in the ratio, a missed one hardly counts.
_QUARTER = Duration.parse("15m")
_SPEC = "obs/v1"


def recorded(slos: tuple[Slo, ...]) -> dict[str, frozenset[str]]:
    """Return every series that the rules of `slos` record, with its labels."""
    periods = {slo.window for slo in slos}
    names = [ALL_MINUTE, BAD_MINUTE, ALL_HOUR, BAD_HOUR]
    names += [f"{ERROR_RATIO}{window}" for window in (*RECORDED, *periods)]
    names += ["slo:objective:ratio", "slo:error_budget:ratio", "slo:time_period:days"]
    names += ["slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio"]
    names += ["slo:period_error_budget_remaining:ratio", "sloth_slo_info"]
    info = {"sloth_mode", "sloth_objective", "sloth_spec", "sloth_version"}
    return dict.fromkeys(names, SLOTH_LABELS | frozenset(info))


def identity(service: Service, slo: Slo) -> dict[str, str]:
    """Return the labels that everything of one SLO carries."""
    return {
        "sloth_id": f"{service.name}-{slo.name}",
        "sloth_service": service.name,
        "sloth_slo": slo.name,
    }


def series(metric: str, service: Service, slo: Slo) -> str:
    """Return the selector of a recorded series of one SLO, in the service's environment."""
    labels = {**service.select, **identity(service, slo)}
    labels = {key: value for key, value in labels.items() if key in _KEPT or key.startswith("sloth_")}
    matchers = ", ".join(f'{key}="{escape(value)}"' for key, value in sorted(labels.items()))
    return f"{metric}{{{matchers}}}"


#: Target labels that survive the aggregation of the recording rules.
_KEPT = frozenset({"service", "environment"})


def groups(service: Service, slo: Slo, names: Vocabulary) -> tuple[RuleGroup, ...]:
    """Return sloth's two groups of recording rules, and the one that sums hours."""
    labels = identity(service, slo)
    id_ = labels["sloth_id"]
    return (
        RuleGroup(f"sloth-slo-sli-recordings-{id_}", _sli(service, slo, names, labels), _MINUTE),
        RuleGroup(f"sloth-slo-hour-recordings-{id_}", _hours(service, slo, names, labels), _QUARTER),
        RuleGroup(f"sloth-slo-meta-recordings-{id_}", _meta(service, slo, names, labels), _MINUTE),
    )


def total_metric(slo: Slo, names: Vocabulary) -> str:
    """Return the selector of the series that count every event of the SLI."""
    sli = slo.sli
    if isinstance(sli, LatencySli):
        return names.selector(names.count(sli.signal))
    assert isinstance(sli, RatioSli)  # noqa: S101
    return names.selector(names.metric(sli.total))


def _sli(
    service: Service, slo: Slo, names: Vocabulary, labels: Mapping[str, str]
) -> tuple[RecordingRule, ...]:
    found = last_minute(slo, names, service.scrape_interval)
    bad, every = f"{found.bad} or 0 * {found.every}", found.every
    minute = (
        RecordingRule(ALL_MINUTE, checked(every, names), labels),
        RecordingRule(BAD_MINUTE, checked(bad, names), labels),
    )
    return minute + tuple(
        _ratio((BAD_MINUTE, ALL_MINUTE), window, service, slo, names) for window in RECORDED
    )


def _ratio(
    source: tuple[str, str], window: Duration, service: Service, slo: Slo, names: Vocabulary
) -> RecordingRule:
    """Return the ratio of sums over `window`; without traffic there is no sample, and never a NaN."""
    bad, every = (f"sum_over_time({series(name, service, slo)}[{window}])" for name in source)
    expr = checked(f"{bad} / ({every} > 0)", names)
    return RecordingRule(
        f"{ERROR_RATIO}{window}", expr, {**identity(service, slo), "sloth_window": str(window)}
    )


def _hours(
    service: Service, slo: Slo, names: Vocabulary, labels: Mapping[str, str]
) -> tuple[RecordingRule, ...]:
    return tuple(
        RecordingRule(hour, checked(f"sum_over_time({series(minute, service, slo)}[1h])", names), labels)
        for hour, minute in ((ALL_HOUR, ALL_MINUTE), (BAD_HOUR, BAD_MINUTE))
    )


def _meta(
    service: Service, slo: Slo, names: Vocabulary, labels: Mapping[str, str]
) -> tuple[RecordingRule, ...]:
    budget = f"{slo.budget.normalize():f}"
    period = _ratio((BAD_HOUR, ALL_HOUR), slo.window, service, slo, names)
    shortest = series(f"{ERROR_RATIO}{RECORDED[0]}", service, slo)
    spent = series("slo:period_burn_rate:ratio", service, slo)
    identity_ = {**labels, "service": service.name}
    info = {
        **identity_,
        "sloth_mode": "cli-gen-prom",
        "sloth_objective": f"{slo.objective.normalize():f}",
        "sloth_spec": _SPEC,
        "sloth_version": _SPEC,
    }
    return (
        period,
        RecordingRule("slo:objective:ratio", f"vector({1 - slo.budget.normalize():f})", identity_),
        RecordingRule("slo:error_budget:ratio", f"vector({budget})", identity_),
        RecordingRule("slo:time_period:days", f"vector({slo.window.milliseconds // 86_400_000})", identity_),
        RecordingRule("slo:current_burn_rate:ratio", checked(f"{shortest} / {budget}", names), labels),
        RecordingRule(
            "slo:period_burn_rate:ratio",
            checked(f"{series(period.record, service, slo)} / {budget}", names),
            labels,
        ),
        RecordingRule("slo:period_error_budget_remaining:ratio", checked(f"1 - {spent}", names), labels),
        RecordingRule("sloth_slo_info", "vector(1)", info),
    )
