"""Alerts on Prometheus itself: while it is broken, every other alert is in doubt."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.engines.prometheus import (
    ALERTMANAGERS,
    NOTIFICATIONS_DROPPED,
    RELOAD_SUCCESSFUL,
    RULE_FAILURES,
    RULE_GROUP,
    RULE_GROUP_DURATION,
    RULE_GROUP_INTERVAL,
)
from obs.generate.derive.drafts import Draft, Kit, Sample
from obs.generate.derive.forms.events import Event, event_draft
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.level import Track, level_cases, near
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

RULES_FAIL = Defaults("page", Duration.parse("1m"), Decimal(1), window=Duration.parse("10m"))
GROUP_SLOW = Defaults("ticket", Duration.parse("10m"), Decimal("0.8"), "ratio")
RELOAD_FAILED = Defaults("ticket", Duration.parse("10m"))
NO_ALERTMANAGER = Defaults("page", Duration.parse("5m"), Decimal(1))
ALERTS_DROPPED = Defaults("page", Duration.parse("1m"), Decimal(1), window=Duration.parse("10m"))

_GROUP = "shop.yml;http"


def rule_failures(kit: Kit) -> Draft:
    """Return PrometheusRuleFailures: rules end with an error, so their alerts cannot fire."""
    event = Event(RULE_FAILURES, apart={RULE_GROUP.name: _GROUP})
    return event_draft(kit, "PrometheusRuleFailures", [event], what="evaluations of rules failed")


def alerts_dropped(kit: Kit) -> Draft:
    """Return PrometheusAlertsDropped: alerts fired and were never told to anyone."""
    return event_draft(
        kit, "PrometheusAlertsDropped", [Event(NOTIFICATIONS_DROPPED)], what="alerts dropped on their way"
    )


def rule_group_slow(kit: Kit) -> Draft:
    """Return PrometheusRuleGroupSlow: a group takes nearly as long as the time until its next turn."""
    names, line = kit.names, kit.settings.threshold
    duration, interval = names.metric(RULE_GROUP_DURATION.id), names.metric(RULE_GROUP_INTERVAL.id)
    label = names.label(RULE_GROUP_DURATION.id, RULE_GROUP.name)
    by = f"{BY}, instance, {label}"

    def write(track: Track) -> tuple[Sample, ...]:
        labels, turn = {label: _GROUP}, Decimal(100)
        spent = [(steps, None if share is None else share * turn) for steps, share in track]
        turns = [(steps, None if share is None else turn) for steps, share in track]
        return (Sample(duration, labels, gauge(spent)), Sample(interval, labels, gauge(turns)))

    above, below, low = near(line, most=Decimal(2))
    return Draft(
        name="PrometheusRuleGroupSlow",
        expr=(
            f"max by ({by}) ({names.selector(duration)}) / max by ({by}) ({names.selector(interval)}) > {line:f}"
        ),
        signals=(RULE_GROUP_DURATION.id, RULE_GROUP_INTERVAL.id),
        threshold=Threshold(
            line, "ratio", ">", f"a group takes more than {line * 100:f} % of the time until its next turn"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: group {{{{ $labels.{label} }}}} takes "
            "{{ $value | humanizePercentage }} of its interval"
        ),
        description=(
            f"On {{{{ $labels.instance }}}} of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) the rules of "
            f"{{{{ $labels.{label} }}}} take {{{{ $value | humanizePercentage }}}} of the time until they are due "
            "again; above 100 % evaluations are left out and alerts come late."
        ),
        cases=level_cases(
            kit, write, above=above, below=below, low=low, shows={"instance": "one", label: _GROUP}
        ),
        window=Duration(0),
    )


def config_reload_failed(kit: Kit) -> Draft:
    """Return PrometheusConfigReloadFailed: what runs is not what was deployed."""
    return reload_draft(
        kit,
        "PrometheusConfigReloadFailed",
        RELOAD_SUCCESSFUL.id,
        "still runs with the configuration before; new rules and targets are not in force",
    )


def reload_draft(kit: Kit, name: str, signal: str, consequence: str) -> Draft:
    """Return the draft of an alert on an engine that refused its configuration."""
    metric = kit.names.metric(signal)

    def write(track: Track) -> tuple[Sample, ...]:
        return (Sample(metric, {}, gauge(track)),)

    return Draft(
        name=name,
        expr=f"min by ({BY}, instance) ({kit.names.selector(metric)}) == 0",
        signals=(signal,),
        threshold=Threshold(Decimal(0), "1", "==", "the last reload of the configuration failed"),
        summary="{{ $labels.service }}: {{ $labels.instance }} refused its configuration",
        description=(
            "{{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) could not load its "
            f"configuration and {consequence}."
        ),
        cases=level_cases(
            kit, write, above=Decimal(0), below=Decimal(1), low=Decimal(1), shows={"instance": "one"}
        ),
        window=Duration(0),
    )


def no_alertmanager(kit: Kit) -> Draft:
    """Return PrometheusNoAlertmanager: alerts fire and there is nobody to send them to."""
    metric, line = kit.names.metric(ALERTMANAGERS.id), kit.settings.threshold

    def write(track: Track) -> tuple[Sample, ...]:
        return (Sample(metric, {}, gauge(track)),)

    return Draft(
        name="PrometheusNoAlertmanager",
        expr=f"min by ({BY}, instance) ({kit.names.selector(metric)}) < {line:f}",
        signals=(ALERTMANAGERS.id,),
        threshold=Threshold(line, "1", "<", f"fewer than {line:f} Alertmanager is known"),
        summary="{{ $labels.service }}: {{ $labels.instance }} knows {{ $value | humanize }} Alertmanagers",
        description=(
            "{{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) knows "
            f"{{{{ $value | humanize }}}} Alertmanagers and needs {line:f}: its alerts reach nobody. "
            "This one can only be seen on its page of alerts, or by another Prometheus."
        ),
        cases=level_cases(kit, write, above=line - 1, below=line, low=line, shows={"instance": "one"}),
        window=Duration(0),
    )
