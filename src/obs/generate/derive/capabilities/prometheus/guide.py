"""Runbooks of the alerts on Prometheus itself."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.engines.prometheus import (
    ALERTMANAGERS,
    HEAD_SERIES,
    NOTIFICATIONS_DROPPED,
    NOTIFICATIONS_FAILED,
    NOTIFICATIONS_SENT,
    RELOAD_SUCCESSFUL,
    RELOADED_AT,
    RULE_FAILURES,
    RULE_GROUP,
    RULE_GROUP_DURATION,
    RULE_GROUP_INTERVAL,
    RULE_GROUP_MISSED,
)
from obs.generate.derive.guidance.engine import read_log, restarted, restore
from obs.generate.derive.guidance.investigation import escalate
from obs.generate.derive.guidance.queries import Queries, look_back, spell
from obs.generate.model import Action, Alert, Runbook, Step


def rule_failures(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PrometheusRuleFailures: rules end with an error."""
    window = look_back(alerts[0])
    group = ask.label(RULE_FAILURES, RULE_GROUP.name)
    failures = f"sum by ({group}) (increase({ask.series(RULE_FAILURES)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Prometheus could not evaluate a rule. The label `rule_group` names its file and group; the other rules "
            "of the group were evaluated."
        ),
        impact="The alert of that rule cannot fire and its recorded series has gaps, so what it guards is unguarded.",
        diagnosis=(
            Step(
                "Find the groups that fail, and since when.",
                (f"topk(5, {failures})",),
                (
                    ("one group fails at each turn", "one of its rules is wrong; go on with step 2."),
                    (
                        "many groups fail now and then",
                        "Prometheus is short of memory or time; go on with step 3.",
                    ),
                ),
            ),
            read_log(
                ask,
                "evaluating rule failed",
                (
                    "many-to-many or same labelset",
                    "two series answer where one must: Mitigation 1, then tell the author.",
                ),
                ("query timed out or too many samples", "the rule reads too much; go on with step 3."),
            ),
            Step(
                "See how close the groups are to their interval, and how many series there are.",
                (
                    f"topk(5, {ask.series(RULE_GROUP_DURATION)} / {ask.series(RULE_GROUP_INTERVAL)})",
                    f"max by (instance) ({ask.series(HEAD_SERIES)})",
                ),
                (
                    ("a group is above 0.8", "open PrometheusRuleGroupSlow."),
                    (
                        "series have doubled",
                        "a service has grown new labels: open ScrapeSeriesJump of that service.",
                    ),
                ),
            ),
        ),
        mitigation=(
            restore("rule file"),
            Action(
                "Take the one broken rule out of its file, have `promtool check rules` and `obs test` pass, and reload.",
                "the rest of the group works; what the rule guarded must be watched by hand until it is back.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="the failing group holds alerts that page",
        ),
        verification=(
            Step(
                f"No evaluation fails for {spell(window)}.",
                (failures,),
                (
                    ("all values are 0", "it is over; see whether an alert of the group fires now."),
                    ("a value grows", "go on with Diagnosis 2 on that group."),
                ),
            ),
        ),
    )


def rule_group_slow(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PrometheusRuleGroupSlow: rules take nearly as long as the time until they are due again."""
    group = ask.label(RULE_GROUP_DURATION, RULE_GROUP.name)
    share = f"max by ({group}) ({ask.series(RULE_GROUP_DURATION)} / {ask.series(RULE_GROUP_INTERVAL)})"
    missed = f"sum by ({group}) (increase({ask.series(RULE_GROUP_MISSED)}[1h]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "A group of rules needs nearly all of its interval. When it needs more, Prometheus leaves evaluations out: "
            "the group runs at half its pace without any error."
        ),
        impact="Alerts of the group come late by one interval or more, and `for` takes twice as long as written.",
        diagnosis=(
            Step(
                "See which groups are slow, and whether evaluations were left out already.",
                (f"topk(5, {share})", f"topk(5, {missed})"),
                (
                    ("one group is slow", "one of its rules reads too much; go on with step 2."),
                    ("all groups are slow", "the machine is short of CPU or disk; go on with step 3."),
                    ("evaluations were left out", "treat it as urgent: Mitigation 1 now, the cause later."),
                ),
            ),
            Step(
                "Open the group on Prometheus' page of rules: it shows the time of each rule.",
                outcomes=(
                    (
                        "one rule takes most of it",
                        "it looks back far or has no matcher for the service: Mitigation 2.",
                    ),
                    ("they share it evenly", "there are too many rules in the group: Mitigation 1."),
                ),
                commands=(f"curl --fail --silent --show-error {ask.service.links.prometheus}/api/v1/rules",),
            ),
            Step(
                "See whether the number of series has grown.",
                (f"max by (instance) ({ask.series(HEAD_SERIES)})",),
                (
                    ("it has", "open ScrapeSeriesJump of the service that grew."),
                    ("it has not", "look at CPU and disk of the machine; something else may use them."),
                ),
            ),
        ),
        mitigation=(
            Action(
                "Give the group a longer interval (`interval:` of its spec), generate and reload.",
                "no evaluation is left out; alerts come one interval later than planned, but steadily.",
                "5 minutes.",
            ),
            Action(
                "Record the slow part of the rule as a series of its own, and have the alert read that.",
                "the long look-back is paid once in place of at each evaluation.",
                "an hour, with its tests.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="evaluations of paging alerts are left out",
        ),
        verification=(
            Step(
                "Every group takes less than half of its interval, and none is left out.",
                (share, missed),
                (
                    ("both hold", "it is over."),
                    ("a group is still near 1", "go on with Diagnosis 2 on that group."),
                ),
            ),
        ),
    )


def config_reload_failed(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PrometheusConfigReloadFailed: what runs is not what was deployed."""
    loaded = f"time() - max by (instance) ({ask.series(RELOADED_AT)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Prometheus was told to load a new configuration or new rules, refused them, and goes on with what it had. "
            "A restart in this state would not come up."
        ),
        impact="New targets are not scraped and new or changed alerts are not in force. At a restart all alerting ends.",
        diagnosis=(
            Step(
                "See which instances refused it, and how old what they run is, in seconds.",
                (f"min by (instance) ({ask.series(RELOAD_SUCCESSFUL)})", loaded),
                (
                    ("one instance", "its files differ from the others': compare them; then Mitigation 1."),
                    ("all instances", "the change itself is wrong; go on with step 2."),
                ),
            ),
            Step(
                "Have the tools say what is wrong: they name file and line.",
                outcomes=(
                    ("a rule file is refused", "Mitigation 1, then repair it with its author."),
                    ("the configuration is refused", "Mitigation 1; a key may be unknown to this version."),
                    ("both pass", "a file cannot be read by Prometheus' user: look at owner and mode."),
                ),
                commands=(
                    "promtool check config /etc/prometheus/prometheus.yml",
                    "promtool check rules /etc/prometheus/rules/*.yml",
                ),
            ),
            read_log(
                ask,
                "error loading config",
                ("it names a file that is not there", "the deployment was cut short: deploy again."),
                ("it names a line", "repair that line; Mitigation 1 until then."),
            ),
        ),
        mitigation=(
            restore("configuration"),
            Action(
                "Do not restart Prometheus before it loads: it would not come back.",
                "alerting goes on with the configuration before.",
                "at once.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="an instance was restarted since and does not come up",
        ),
        verification=(
            Step(
                "The last reload worked everywhere, and is minutes old.",
                (f"min by (instance) ({ask.series(RELOAD_SUCCESSFUL)})", loaded),
                (
                    ("both hold", "it is over; see whether new alerts fire at once."),
                    ("an instance is still at 0", "reload that one by hand and read its answer."),
                ),
                commands=(
                    f"curl --fail --silent --show-error -X POST {ask.service.links.prometheus}/-/reload",
                ),
            ),
        ),
    )


def no_alertmanager(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PrometheusNoAlertmanager: alerts fire, and there is nobody to send them to."""
    known = f"min by (instance) ({ask.series(ALERTMANAGERS)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Prometheus knows no Alertmanager: none is configured, discovery finds none, or all were dropped by "
            "relabelling. Alerts fire inside Prometheus and go nowhere."
        ),
        impact="Nobody is told of any alert. The heartbeat has stopped too, so its receiver raises the alarm.",
        diagnosis=(
            Step(
                "See which instances know none.",
                (known,),
                (
                    ("one instance", "its configuration differs from the others': Mitigation 1."),
                    ("all instances", "discovery or Alertmanager itself; go on with step 2."),
                ),
            ),
            Step(
                "See what discovery finds and what relabelling drops, and whether Alertmanager answers.",
                outcomes=(
                    (
                        "activeAlertmanagers is empty, dropped ones are listed",
                        "a relabelling rule is wrong: Mitigation 1.",
                    ),
                    (
                        "both are empty",
                        "discovery finds nothing: compare its address or labels; Mitigation 2.",
                    ),
                    ("Alertmanager does not answer", "follow TargetDown of alertmanager."),
                ),
                commands=(
                    f"curl --fail --silent --show-error {ask.service.links.prometheus}/api/v1/alertmanagers",
                    f"curl --fail --silent --show-error {ask.service.links.alertmanager}/-/ready",
                ),
            ),
            restarted(ask, 2),
        ),
        mitigation=(
            restore("configuration"),
            Action(
                "Name Alertmanager's address in `alerting: alertmanagers: static_configs`, and reload.",
                "alerts leave at the next evaluation; expect several at once.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=True,
            when="it is not back after the first step: nobody is told of outages",
        ),
        verification=(
            Step(
                "Every instance knows Alertmanager, alerts are sent, and none is refused.",
                (
                    known,
                    f"sum (rate({ask.series(NOTIFICATIONS_SENT)}[5m]))",
                    f"sum (rate({ask.series(NOTIFICATIONS_FAILED)}[5m]))",
                ),
                (
                    ("all hold", "it is over; read which alerts fired in the gap."),
                    ("alerts are refused", "Alertmanager answers with an error: read its log."),
                ),
            ),
        ),
    )


def alerts_dropped(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PrometheusAlertsDropped: alerts fired and were given up on their way."""
    window = look_back(alerts[0])
    dropped = f"sum by (instance) (increase({ask.series(NOTIFICATIONS_DROPPED)}[{window}]))"
    failed = f"sum by (alertmanager) (rate({ask.series(NOTIFICATIONS_FAILED)}[5m]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning="Prometheus gave alerts up: every Alertmanager refused them, or more were waiting than its queue holds.",
        impact="Some notifications never came. Prometheus sends firing alerts again, so what still fires will be told.",
        diagnosis=(
            Step(
                "See which instance drops them, and whether an Alertmanager refuses them.",
                (dropped, failed),
                (
                    (
                        "one Alertmanager refuses them",
                        "follow its runbooks; go on with step 2 on its address.",
                    ),
                    (
                        "none refuses them",
                        "the queue was full: thousands of alerts fire at once; go on with step 3.",
                    ),
                ),
            ),
            read_log(
                ask,
                "error sending alerts",
                (
                    "connection refused or time-out",
                    "Alertmanager is down or unreachable: follow TargetDown of it.",
                ),
                (
                    "status 400",
                    "it does not accept an alert: a label or annotation is illegal; find it by its name.",
                ),
            ),
            Step(
                "Count the alerts that fire, by name.",
                ("topk(10, count by (alertname) (ALERTS))",),
                (
                    ("one name has hundreds", "it lacks an aggregation: Mitigation 2."),
                    ("many names have some", "a large outage: go for its cause first."),
                ),
            ),
        ),
        mitigation=(
            restore("configuration of Alertmanager"),
            Action(
                "Switch the flooding alert off in its spec (`disabled:` with the reason), generate and reload.",
                "the queue empties within minutes and the other alerts pass.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team, urgent=alerts[0].severity == "page", when="alerts that page were among them"
        ),
        verification=(
            Step(
                f"Nothing is dropped for {spell(window)}.",
                (dropped,),
                (
                    ("all values are 0", "it is over; read which alerts fired meanwhile."),
                    ("a value grows", "go on with Diagnosis 1."),
                ),
            ),
        ),
    )
