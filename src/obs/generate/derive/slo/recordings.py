"""What is recorded for an SLO, under sloth's names and labels, weighted by events.

The chain is: events of each minute, exact -> ratios over the windows of the fast alert; and sums over
`SPAN`, each minute in exactly one of them -> ratios over the windows of the slow alert and over the
whole period. A ratio of sums weighs each event the same; an average of ratios would let one quiet bad
hour outweigh a busy day, and overlapping sums would show only a part of an outage that is still young.

`SPAN` is the longest whole minute below the five that Prometheus looks back for a sample, so that
what is recorded once in a span is always there to be read.
"""

from __future__ import annotations

from collections.abc import Mapping

from obs.generate.derive.promql import checked
from obs.generate.derive.slo.downtime import counted
from obs.generate.derive.slo.events import last_minute
from obs.generate.derive.slo.series import (
    ALL_MINUTE,
    ALL_SPAN,
    BAD_MINUTE,
    BAD_SPAN,
    BUDGET,
    BUDGET_LEFT,
    BURN_RATE,
    COUNTED,
    INFO,
    OBJECTIVE,
    PERIOD_BURN_RATE,
    PERIOD_DAYS,
    SPAN,
    all_period,
    bad_period,
    constant,
    error_ratio,
    identity,
    series,
)
from obs.generate.derive.slo.windows import LONG, SHORT
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Duration, RecordingRule, RuleGroup, Service, Slo

_MINUTE = Duration.parse("1m")
_DAY = Duration.parse("1d")
_SPEC = "obs/v1"
#: A grouped SLO that has so many times more budgets than it should is not recorded any more.
_FAR_TOO_MANY = 10


def short_groups(service: Service, slo: Slo, names: Vocabulary) -> tuple[RuleGroup, ...]:
    """Return sloth's group of SLI recordings: the events of each minute, and ratios over the short windows."""
    rules = (
        *_downtime(service, slo, names),
        *_events(service, slo, names),
        *(_ratio(window, (BAD_MINUTE, ALL_MINUTE), service, slo, names) for window in SHORT),
    )
    return (RuleGroup(f"sloth-slo-sli-recordings-{_id(service, slo)}", rules, _MINUTE, limit(slo)),)


def long_groups(service: Service, slo: Slo, names: Vocabulary) -> tuple[RuleGroup, ...]:
    """Return the group of sums, each of so many minutes, and of ratios over the long windows."""
    spans = _sums(((ALL_SPAN, ALL_MINUTE), (BAD_SPAN, BAD_MINUTE)), SPAN, service, slo, names)
    ratios = tuple(_ratio(window, (BAD_SPAN, ALL_SPAN), service, slo, names) for window in LONG)
    return (RuleGroup(f"sloth-slo-long-recordings-{_id(service, slo)}", (*spans, *ratios), SPAN, limit(slo)),)


def period_groups(service: Service, slo: Slo, names: Vocabulary) -> tuple[RuleGroup, ...]:
    """Return the group of the whole period, and sloth's group of figures about the budget."""
    pairs = ((all_period(slo), ALL_SPAN), (bad_period(slo), BAD_SPAN))
    bad, every = series(bad_period(slo), service, slo), series(all_period(slo), service, slo)
    rules = (
        *_sums(pairs, slo.window, service, slo, names),
        _labelled_ratio(slo.window, f"{bad} / ({every} > 0)", service, slo, names),
    )
    id_ = _id(service, slo)
    return (
        RuleGroup(f"sloth-slo-period-recordings-{id_}", rules, SPAN, limit(slo)),
        RuleGroup(f"sloth-slo-meta-recordings-{id_}", _meta(service, slo, names), _MINUTE, limit(slo)),
    )


def limit(slo: Slo) -> int | None:
    """Return how many series a rule of `slo` may yield; without groups nothing could become many."""
    return slo.max_groups * _FAR_TOO_MANY if slo.by else None


def _id(service: Service, slo: Slo) -> str:
    return identity(service, slo)["sloth_id"]


def _downtime(service: Service, slo: Slo, names: Vocabulary) -> tuple[RecordingRule, ...]:
    if not service.downtimes:
        return ()
    labels = {**identity(service, slo), "service": service.name}
    return (RecordingRule(COUNTED, checked(counted(service.downtimes), names), labels),)


def _events(service: Service, slo: Slo, names: Vocabulary) -> tuple[RecordingRule, RecordingRule]:
    found = last_minute(slo, names, service.scrape_interval)
    weight = f" * on () group_left () {constant(COUNTED, service, slo)}" if service.downtimes else ""
    labels = identity(service, slo)
    # Without any bad event there may be no such series; that is a zero, not a gap.
    return (
        RecordingRule(ALL_MINUTE, checked(f"{found.every}{weight}", names), labels),
        RecordingRule(BAD_MINUTE, checked(f"({found.bad}){weight} or 0 * {found.every}", names), labels),
    )


def _sums(
    pairs: tuple[tuple[str, str], ...], window: Duration, service: Service, slo: Slo, names: Vocabulary
) -> tuple[RecordingRule, ...]:
    labels = identity(service, slo)
    return tuple(
        RecordingRule(to, checked(f"sum_over_time({series(of, service, slo)}[{window}])", names), labels)
        for to, of in pairs
    )


def _ratio(
    window: Duration, source: tuple[str, str], service: Service, slo: Slo, names: Vocabulary
) -> RecordingRule:
    """Return the ratio of sums over `window`; without traffic there is no sample, and never a NaN."""
    bad, every = (f"sum_over_time({series(name, service, slo)}[{window}])" for name in source)
    return _labelled_ratio(window, f"{bad} / ({every} > 0)", service, slo, names)


def _labelled_ratio(
    window: Duration, expr: str, service: Service, slo: Slo, names: Vocabulary
) -> RecordingRule:
    labels = {**identity(service, slo), "sloth_window": str(window)}
    return RecordingRule(error_ratio(window), checked(expr, names), labels)


def _meta(service: Service, slo: Slo, names: Vocabulary) -> tuple[RecordingRule, ...]:
    budget = f"{slo.budget.normalize():f}"
    labels = identity(service, slo)

    def rate(record: str, ratio: Duration) -> RecordingRule:
        expr = f"{series(error_ratio(ratio), service, slo)} / {budget}"
        return RecordingRule(record, checked(expr, names), labels)

    left = checked(f"1 - {series(PERIOD_BURN_RATE, service, slo)}", names)
    return (
        *_constants(service, slo, labels),
        rate(BURN_RATE, SHORT[0]),
        rate(PERIOD_BURN_RATE, slo.window),
        RecordingRule(BUDGET_LEFT, left, labels),
    )


def _constants(service: Service, slo: Slo, labels: Mapping[str, str]) -> tuple[RecordingRule, ...]:
    own = {**labels, "service": service.name}
    info = {
        **own,
        "sloth_mode": "cli-gen-prom",
        "sloth_objective": f"{slo.objective.normalize():f}",
        "sloth_spec": _SPEC,
        "sloth_version": _SPEC,
    }
    days = slo.window.milliseconds // _DAY.milliseconds
    return (
        RecordingRule(OBJECTIVE, f"vector({(1 - slo.budget).normalize():f})", own),
        RecordingRule(BUDGET, f"vector({slo.budget.normalize():f})", own),
        RecordingRule(PERIOD_DAYS, f"vector({days})", own),
        RecordingRule(INFO, "vector(1)", info),
    )
