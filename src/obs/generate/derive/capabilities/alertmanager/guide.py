"""Runbooks of the alerts on Alertmanager itself."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.engines.alertmanager import (
    INTEGRATION,
    NOTIFICATIONS,
    NOTIFICATIONS_FAILED,
    RELOAD_SUCCESSFUL,
)
from obs.generate.derive.guidance.engine import read_log, restore
from obs.generate.derive.guidance.investigation import escalate
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step


def notify_failing(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """AlertmanagerNotifyFailing: alerts are known and nobody is told."""
    window, kind = look_back(alerts[0]), ask.label(NOTIFICATIONS, INTEGRATION.name)
    failed = f"sum by ({kind}) (increase({ask.series(NOTIFICATIONS_FAILED)}[{window}]))"
    sent = f"sum by ({kind}) (increase({ask.series(NOTIFICATIONS)}[{window}]))"
    url = ask.service.links.alertmanager
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {percent(alerts[0].threshold.value)} of the notifications of a kind of receiver were not "
            "delivered, retries included. The label `integration` says which kind."
        ),
        impact="Alerts fire and the people who should act on them do not know. This very alert may come by another way only.",
        diagnosis=(
            Step(
                "See which kind of receiver fails, and whether anything of it still arrives.",
                (failed, sent),
                (
                    (
                        "all of one kind fail",
                        "its provider, address or secret is at fault; go on with step 2.",
                    ),
                    (
                        "some of one kind fail",
                        "it turns us away now and then: go on with step 2 and look for 429.",
                    ),
                    (
                        "all kinds fail",
                        "the network or a proxy: ask from Alertmanager's machine; then step 2.",
                    ),
                ),
            ),
            read_log(
                ask,
                "notify for alerts failed",
                ("401 or 403", "the secret has expired or was revoked: Mitigation 1."),
                ("404 or 410", "the address has changed or the channel is gone: Mitigation 1."),
                ("429", "too many notifications: group by fewer labels; Mitigation 2."),
                ("connection or certificate errors", "the network, a proxy or TLS in between: Mitigation 3."),
                ("a template error", "the last change of a template: take it back."),
            ),
            Step(
                "See what waits to be told: these alerts have reached nobody.",
                outcomes=(
                    ("pages are among them", "tell their on-call engineers by hand, now."),
                    ("only tickets", "they will be sent when it works again."),
                ),
                commands=(f"amtool alert query --alertmanager.url={url}",),
            ),
        ),
        mitigation=(
            Action(
                "Write the new secret or address into its file and reload; test with a notification of your own.",
                "the next try succeeds, and waiting alerts are sent.",
                "5 minutes.",
            ),
            Action(
                "Silence the loudest alert that is known already.",
                "the provider accepts the rest.",
                "1 minute.",
            ),
            Action(
                "Send pages by another receiver until it works: change `notify: page:` in the defaults of the specs, "
                "generate and reload.",
                "pages arrive by the other way.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(ask.service.team, urgent=True, when="pages are among what was not delivered"),
        verification=(
            Step(
                f"Notifications are sent, and none has failed for {spell(window)}.",
                (failed, sent),
                (
                    ("both hold", "it is over; tell those whose alerts came late."),
                    ("nothing is sent", "no alert fires: send one by hand and see it arrive."),
                    ("some still fail", "go on with Diagnosis 2."),
                ),
                commands=(
                    f"amtool alert add Test severity=ticket service=alertmanager --alertmanager.url={url}",
                ),
            ),
        ),
    )


def config_reload_failed(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """AlertmanagerConfigReloadFailed: routes and receivers are not those that were deployed."""
    loaded = f"min by (instance) ({ask.series(RELOAD_SUCCESSFUL)})"
    url = ask.service.links.alertmanager
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Alertmanager was told to load a new configuration, refused it, and goes on with the one before. A restart "
            "in this state would not come up."
        ),
        impact="New routes and receivers are not in force: alerts of a new team go to the old place. At a restart nothing is told.",
        diagnosis=(
            Step(
                "See which instances refused it.",
                (loaded,),
                (
                    ("one instance", "its files differ from the others': compare them; then Mitigation 1."),
                    ("all instances", "the change itself is wrong; go on with step 2."),
                ),
            ),
            Step(
                "Have the tool say what is wrong: it names the key.",
                outcomes=(
                    ("a receiver or route is refused", "Mitigation 1, then repair it with its author."),
                    (
                        "it passes",
                        "a secret or template file is missing or cannot be read: look at its owner and mode.",
                    ),
                ),
                commands=("amtool check-config /etc/alertmanager/alertmanager.yml",),
            ),
            read_log(
                ask,
                "loading configuration file failed",
                ("it names a file", "that file was not deployed: deploy again."),
                ("it names an unknown field", "the key is newer than this Alertmanager: take it out."),
            ),
        ),
        mitigation=(
            restore("configuration"),
            Action(
                "Do not restart Alertmanager before it loads: it would not come back.",
                "notifications go on by the configuration before.",
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
                "The last reload worked everywhere, and a test alert takes the new route.",
                (loaded,),
                (
                    ("both hold", "it is over."),
                    ("an instance is still at 0", "reload that one by hand and read its answer."),
                ),
                commands=(f"curl --fail --silent --show-error -X POST {url}/-/reload",),
            ),
        ),
    )
