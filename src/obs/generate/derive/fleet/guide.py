"""Runbook of the heartbeat."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.engines.alertmanager import NOTIFICATIONS_FAILED
from obs.generate.model import Action, Alert, Links, Runbook, Step


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
                    f"curl --silent {links.alertmanager}/metrics | grep {NOTIFICATIONS_FAILED.metric}",
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
