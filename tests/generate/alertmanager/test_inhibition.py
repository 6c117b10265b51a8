"""What stays quiet while something worse is known."""

from __future__ import annotations

from tests.generate.alertmanager.configured import configuration, service

from obs.generate.derive import notifications
from obs.generate.derive.capabilities import registry
from obs.generate.derive.slo import files as slo


def test_every_inhibition_asks_both_sides_for_a_service_and_the_same_service_and_environment() -> None:
    rules = configuration(service(), stronger=notifications.STRONGER)["inhibit_rules"]

    assert len(rules) == len(notifications.STRONGER) + 1
    for rule in rules:
        assert 'service!=""' in rule["source_matchers"]
        assert 'service!=""' in rule["target_matchers"]
        assert {"service", "environment"} <= set(rule["equal"])


def test_dead_targets_silence_what_follows_from_them_and_nothing_else() -> None:
    rule = configuration(service())["inhibit_rules"][0]

    assert rule["source_matchers"][0] == 'alertname="JobAllTargetsDown"'
    assert 'category!~"backups|security|tls"' in rule["target_matchers"]
    (never,) = (matcher for matcher in rule["target_matchers"] if matcher.startswith("alertname!~"))
    assert {"JobAllTargetsDown", "AlertmanagerNotifyFailing", "Watchdog"} <= set(never[12:-1].split("|"))


def test_no_alert_that_inhibition_names_is_unknown() -> None:
    rules = configuration(service(), stronger=notifications.STRONGER)["inhibit_rules"]
    known = {*registry.entries(), *slo.ALERTS, "Watchdog"}
    matchers = [matcher for rule in rules for matcher in (*rule["source_matchers"], *rule["target_matchers"])]
    named = [m.split('"')[1].split("|") for m in matchers if m.startswith("alertname")]

    assert {name for names in named for name in names} <= known


def test_a_page_silences_only_the_ticket_that_says_less_of_the_same() -> None:
    rules = configuration(service(), stronger=[("High", "Elevated")], group_labels=["http_route"])[
        "inhibit_rules"
    ]

    assert rules[1]["source_matchers"] == ['alertname="High"', 'severity="page"', 'service!=""']
    assert rules[1]["target_matchers"] == ['alertname="Elevated"', 'severity="ticket"', 'service!=""']
    assert {"sloth_id", "job_name", "instance", "http_route"} <= set(rules[1]["equal"])


def test_the_alerts_of_each_pair_exist_and_watch_the_same_panel() -> None:
    panels = {name: entry.panel for name, (_, entry) in registry.entries().items()}
    known = [pair for pair in notifications.STRONGER if pair[0] in panels or pair[1] in panels]

    assert known
    for page, ticket in known:
        assert panels[page] == panels[ticket]
