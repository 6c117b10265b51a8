"""Runbooks of what is missing: a target that cannot be scraped, the heartbeat, and an SLI without data."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.process import START_TIME
from obs.catalogue.target import SCRAPE_DURATION, UP
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Action, Alert, Links, Runbook, Step


def target_down(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """TargetDown: Prometheus cannot read the service."""
    alert, name = alerts[0], ask.service.name
    up = ask.series(UP)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Prometheus cannot scrape an instance of {name}, or has lost all of them from its targets. The process "
            "is gone, does not answer, answers too slowly, or has moved."
        ),
        impact=(
            "If the process is gone, its users are turned away. If it is only the scrape that fails, users see "
            "nothing, but every other alert of this service is blind meanwhile."
        ),
        diagnosis=(
            Step(
                "See which instances are down; an empty answer means that none is left among the targets.",
                (up, f"count by (service) ({up} == 1)"),
                (
                    ("one is down", "go on with step 2 on its address (label `instance`)."),
                    ("all are down", "a release, the network or the machine; go on with step 3."),
                    (
                        "the answer is empty",
                        "the targets were removed: compare Prometheus' target file or discovery.",
                    ),
                ),
            ),
            Step(
                "Ask the instance itself, from the machine of Prometheus: take the address from the label `instance`.",
                outcomes=(
                    ("connection refused", "the process is gone: Mitigation 1, then read why in step 4."),
                    (
                        "it times out",
                        "the process hangs or the network drops packets: Mitigation 1 after a stack dump.",
                    ),
                    ("it answers 200", "the scrape fails: read the error on Prometheus' page of targets."),
                    (
                        "it answers 401, 403 or 404",
                        "path or credentials of the scrape are wrong: revert that change.",
                    ),
                ),
                commands=(
                    (
                        'curl --silent --show-error --max-time 5 --output /dev/null --write-out "%{http_code} %{time_total}s\\n" '
                        '"http://${INSTANCE:?set it to the label instance}/metrics"'
                    ),
                ),
            ),
            recent_change(ask, 4),
            Step(
                "See whether scrapes were getting slower, and read the last lines of the process.",
                (
                    f"max by (instance) (max_over_time({ask.series(SCRAPE_DURATION)}[1h]))",
                    f"max by (instance) (last_over_time({ask.series(START_TIME)}[1h]))",
                ),
                (
                    ("scrapes neared their time limit", "the process is overloaded or has too many series."),
                    ("the log ends with an exception", "the process died of it: Mitigation 2."),
                    (
                        "the log just ends",
                        "it was killed from outside: look for the kernel's out-of-memory lines.",
                    ),
                ),
                logs=(ask.stream(),),
                commands=("journalctl --dmesg --since -1h --grep 'oom|Out of memory'",),
            ),
        ),
        mitigation=(
            Action(
                "Start the process again, or let its supervisor do it.",
                "it answers and is scraped again at the next interval.",
                f"1 minute, and {ask.service.scrape_interval.words} for the next scrape.",
            ),
            roll_back("one scrape"),
            Action(
                "The machine is gone: start the instance on another.",
                "capacity is back; the old target disappears with the next discovery.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="no instance is left",
        ),
        verification=(
            Step(
                "Every instance that should be there is up, and stays so.",
                (f"min_over_time({up}[5m])",),
                (
                    ("all values are 1", "the alert ends at the next evaluation."),
                    ("a value is 0", "it flaps: it starts and dies again; go on with Diagnosis 4."),
                ),
            ),
        ),
    )


def sli_absent(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """SliMetricAbsent: an SLO has nothing to judge by."""
    name = ask.service.name
    slos = ", ".join(dict.fromkeys(alert.slo for alert in alerts if alert.slo))
    up = ask.series(UP)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The series that an SLO of {name} ({slos}) counts by have not existed for {alerts[0].window.words}. An SLO without data neither "
            "burns nor recovers: its burn alerts cannot fire, whatever happens to users."
        ),
        impact=(
            "Users may be fine or may not: nobody can tell. The time without data is missing from the month's report."
        ),
        diagnosis=(
            Step(
                "See whether the service is scraped at all.",
                (up,),
                (
                    ("it is down or the answer is empty", "follow TargetDown of this service."),
                    ("it is up", "the series were renamed or never appeared; go on with step 2."),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "Look at what the service exposes, and compare it with the contract that the rules were made from.",
                outcomes=(
                    (
                        "the metric has another name or other labels",
                        "release and rules disagree: Mitigation 1 or 2.",
                    ),
                    (
                        "the metric is missing",
                        "its instrumentation is off: look for `obs` warnings at start.",
                    ),
                    (
                        "the metric is there",
                        "no request has come since the start: send one, then wait a scrape.",
                    ),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error|critical"',),
                commands=("obs catalogue list", "obs generate specs --out . --check"),
            ),
        ),
        mitigation=(
            roll_back("one scrape"),
            Action(
                "The metric was renamed on purpose: export the new contract, generate the rules again and reload "
                "Prometheus.",
                "the SLO counts again from now on.",
                "10 minutes.",
            ),
            Action(
                "The service is switched off on purpose: remove it from the specs, and generate again.",
                "the alert disappears with its SLO.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="users report trouble while the SLO is blind",
        ),
        verification=(
            Step(
                "The service is scraped, and the expression of this alert gives no result.",
                (up, *(alert.expr for alert in alerts)),
                (
                    ("the answer is empty", "the SLI has data again and the alert ends."),
                    ("a result remains", "the series are still absent: go on with Diagnosis 3."),
                ),
            ),
        ),
    )


def watchdog(alerts: Sequence[Alert], links: Links) -> Runbook:
    """Watchdog: the heartbeat that fires for ever; its absence is the trouble."""
    expr = alerts[0].expr
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "This alert always fires. It proves that Prometheus evaluates rules, that Alertmanager receives alerts and "
            "that notifications leave. Whoever reads this because the heartbeat stopped has lost the alarm system."
        ),
        impact=(
            "While the heartbeat is missing, no alert of any service reaches anyone: an outage now is found by users."
        ),
        diagnosis=(
            Step(
                "See whether Prometheus lives and evaluates.",
                (expr,),
                (
                    ("Prometheus does not answer", "start it: Mitigation 1."),
                    (
                        "it answers but the alert is not on its page of alerts",
                        "its rules were not loaded: Mitigation 2.",
                    ),
                    ("the alert fires there", "go on with step 2."),
                ),
                commands=(f"curl --fail --silent --show-error {links.prometheus}/-/ready",),
            ),
            Step(
                "See whether Alertmanager holds the alert and does not silence it.",
                outcomes=(
                    ("Alertmanager does not answer", "start it: Mitigation 1."),
                    (
                        "it does not hold the alert",
                        "Prometheus cannot reach it: compare the address in its configuration.",
                    ),
                    ("the alert is silenced or inhibited", "expire that silence: it hides the heartbeat."),
                    ("it is there and active", "go on with step 3."),
                ),
                commands=(
                    f"curl --fail --silent --show-error {links.alertmanager}/-/ready",
                    f"amtool alert query alertname=Watchdog --alertmanager.url={links.alertmanager}",
                    f"amtool silence query --alertmanager.url={links.alertmanager}",
                ),
            ),
            Step(
                "See which receiver the heartbeat goes to, and whether its notifications fail.",
                outcomes=(
                    (
                        "the receiver has no address",
                        "nobody listens: set `notify: none:` in the specs to a receiver.",
                    ),
                    (
                        "notifications fail",
                        "the log names the reason: an expired key, a changed address, a proxy.",
                    ),
                    ("they succeed", "the receiving side is at fault: ask its provider's status page."),
                ),
                commands=(
                    f"amtool config routes test --alertmanager.url={links.alertmanager} alertname=Watchdog",
                    f"curl --silent {links.alertmanager}/metrics | grep alertmanager_notifications_failed_total",
                ),
            ),
        ),
        mitigation=(
            Action(
                "Start what is down, Prometheus first; both keep their data on disk.",
                "alerts that are due fire within two evaluations, so expect several at once.",
                "1 to 2 minutes.",
            ),
            Action(
                "Restore the last configuration that worked and reload.",
                "rules and routes are as before the change.",
                "2 minutes.",
            ),
            Action(
                "It cannot be restored soon: have somebody watch the dashboards until it is.",
                "outages are found by a person in place of users.",
                "at once.",
            ),
        ),
        escalation=(
            "Call the on-call engineer of the team that runs Prometheus and Alertmanager at once, at any hour.",
            "Tell all on-call engineers that no alert can reach them, and again when it can.",
        ),
        verification=(
            Step(
                "The heartbeat arrives at its receiver twice in a row, and the alert is held and active.",
                (expr,),
                (
                    ("both heartbeats arrive", "it is over; read which alerts fired in the gap."),
                    ("only one arrives", "something restarts again and again: go on with Diagnosis 1."),
                ),
                commands=(f"amtool alert query alertname=Watchdog --alertmanager.url={links.alertmanager}",),
            ),
        ),
    )
