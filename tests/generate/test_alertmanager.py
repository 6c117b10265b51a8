"""The configuration of Alertmanager: who hears of what, when, and what stays quiet."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from obs.errors import SpecError
from obs.generate.derive import notifications
from obs.generate.derive.capabilities import registry
from obs.generate.derive.slo import files as slo
from obs.generate.model import (
    RECEIVER_KINDS,
    Downtime,
    Duration,
    Grouping,
    Hours,
    Links,
    Place,
    Routing,
    Service,
)
from obs.generate.render.alertmanager import render
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[2] / "specs" / "shop"
_EMAIL = {"to": "a@example.com", "from": "b@example.com", "smarthost": "localhost:25"}
_HOURS = Hours(("monday:friday",), "09:00", "17:00", "Europe/Berlin")


@cache
def _shop(environment: str | None = None) -> tuple[Service, ...]:
    return tuple(load([SPECS], environment=environment))


def _service(name: str = "payments", **changes: Any) -> Service:
    notify = {"page": "pagerduty-shop", "ticket": "slack-shop"}
    standard = {"name": name, "notify": notify, "links": Links(), "routing": Routing(alertmanager=(0, 28))}
    return replace(_shop()[0], **{**standard, **changes})


def _config(*services: Service, **options: Any) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(render(services, **options)[0].text)
    return data


def _receiver(config: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(receiver for receiver in config["receivers"] if receiver["name"] == name)
    return found


def _teams(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [route for route in config["route"]["routes"] if route["matchers"][0].startswith("team=")]


def test_the_bytes_are_the_same_whatever_the_order() -> None:
    first, second = _service("a"), _service("b", notify={"page": "opsgenie-b"})

    assert render([first, second]) == render([second, first])


def test_three_files_come_out_and_the_configuration_names_the_templates() -> None:
    config, templates, tests = render([_service()])

    assert [str(artefact.path) for artefact in (config, templates, tests)] == [
        "alerts/alertmanager.yml",
        "alerts/templates/obs.tmpl",
        "alerts/tests/routes.yml",
    ]
    (named,) = yaml.safe_load(config.text)["templates"]
    assert config.path.parent / PurePosixPath(named) == templates.path


def test_alerts_are_grouped_by_name_service_and_environment() -> None:
    assert _config(_service())["route"]["group_by"] == ["alertname", "service", "environment"]


def test_the_heartbeat_goes_first_to_the_dead_man_s_switch_and_often() -> None:
    config = _config(_service(routing=Routing(heartbeat="pagerduty-dead")))
    route = config["route"]["routes"][0]

    assert route["matchers"] == ['alertname="Watchdog"']
    assert (route["receiver"], route["group_wait"]) == ("pagerduty-dead", "0s")
    assert "continue" not in route
    assert "active_time_intervals" not in route


def test_without_a_switch_the_heartbeat_has_a_receiver_that_does_nothing() -> None:
    config = _config(_service())

    assert config["route"]["routes"][0]["receiver"] == "dead-man"
    assert _receiver(config, "dead-man") == {"name": "dead-man"}


def test_two_switches_are_an_error() -> None:
    place = Place("b.yml", 3, 1)
    other = _service("b", routing=Routing(heartbeat="slack-two", place=place))

    with pytest.raises(SpecError, match=r"b.yml:3:1: the heartbeat goes to 'slack-one'.*'slack-two'"):
        render([_service("a", routing=Routing(heartbeat="slack-one")), other])


def test_each_severity_of_a_team_has_a_route_and_a_page_repeats_sooner() -> None:
    (team,) = _teams(_config(_service()))

    assert team["matchers"] == ['team="shop"']
    assert [(r["matchers"], r["receiver"], r["repeat_interval"]) for r in team["routes"]] == [
        (['severity="page"'], "pagerduty-shop", "4h"),
        (['severity="ticket"'], "slack-shop", "1d"),
        (['severity="none"'], "nobody", "1d"),
    ]


def test_a_team_whose_tiers_differ_routes_by_tier() -> None:
    other = {"page": "slack-shop", "ticket": "slack-shop"}
    config = _config(
        _service("a", tier="critical"),
        _service("b", tier="critical"),
        _service("c", tier="standard", notify=other),
    )
    (team,) = _teams(config)

    assert [route["matchers"] for route in team["routes"]] == [['tier="critical"'], ['tier="standard"']]


def test_services_of_one_tier_that_differ_are_routed_by_name_before_the_tiers() -> None:
    other = {"page": "slack-shop", "ticket": "slack-shop"}
    config = _config(
        _service("a", tier="critical"),
        _service("b", tier="critical"),
        _service("c", tier="critical", notify=other),
        _service("d", tier="standard"),
    )
    (team,) = _teams(config)

    assert [route["matchers"] for route in team["routes"]] == [
        ['service=~"a|b"'],
        ['service="c"'],
        ['tier="standard"'],
    ]


def test_a_team_s_alert_of_an_odd_severity_reaches_the_team() -> None:
    (first, second) = _teams(
        _config(_service("a", team="one"), _service("b", team="two", notify={"ticket": "slack-two"}))
    )

    assert (first["receiver"], second["receiver"]) == ("slack-shop", "slack-two")


def test_an_alert_of_nobody_reaches_people_and_a_page_those_who_are_paged() -> None:
    config = _config(_service("a"), _service("b"))

    assert config["route"]["receiver"] == "slack-shop"
    assert config["route"]["routes"][-1] == {"receiver": "pagerduty-shop", "matchers": ['severity="page"']}


def test_nobody_to_notify_is_a_valid_answer() -> None:
    config = _config(_service(notify={}))

    assert config["route"]["receiver"] == "nobody"
    assert {route["receiver"] for route in _teams(config)[0]["routes"]} == {"nobody"}


def test_tickets_wait_for_working_hours_and_pages_never_do() -> None:
    config = _config(_service(routing=Routing(hours=_HOURS)))
    page, ticket, none = _teams(config)[0]["routes"]

    (name,) = ticket["active_time_intervals"]
    assert "active_time_intervals" not in page
    assert "active_time_intervals" not in none
    assert config["time_intervals"] == [
        {
            "name": name,
            "time_intervals": [
                {
                    "times": [{"start_time": "09:00", "end_time": "17:00"}],
                    "weekdays": ["monday:friday"],
                    "location": "Europe/Berlin",
                }
            ],
        }
    ]


def _downtime(name: str = "night", **changes: Any) -> Downtime:
    standard = {
        "name": name, "days": ("monday", "sunday"), "dates": (), "start": 120, "end": 1440, "reason": "backups",
        "place": Place("a.yml", 1, 1),
    }  # fmt: skip
    return Downtime(**{**standard, **changes})


def test_planned_downtime_mutes_pages_and_tickets_of_that_service_alone() -> None:
    config = _config(_service("a", downtimes=(_downtime(),)), _service("b"))
    away, there = _teams(config)[0]["routes"]

    assert (away["matchers"], there["matchers"]) == (['service="a"'], ['service="b"'])
    assert [route.get("mute_time_intervals") for route in away["routes"]] == [
        ["downtime-night"],
        ["downtime-night"],
        None,
    ]
    assert all("mute_time_intervals" not in route for route in there["routes"])


def test_a_downtime_is_written_in_days_of_the_week_or_of_the_calendar() -> None:
    dated = _downtime("move", days=(), dates=(dt.date(2026, 12, 24), dt.date(2027, 1, 2)))
    config = _config(_service(downtimes=(_downtime(), dated)))
    written = {one["name"]: one["time_intervals"] for one in config["time_intervals"]}
    times = [{"start_time": "02:00", "end_time": "24:00"}]

    assert written["downtime-night"] == [{"times": times, "weekdays": ["monday", "sunday"]}]
    assert written["downtime-move"] == [
        {"times": times, "years": ["2026"], "months": ["december"], "days_of_month": ["24"]},
        {"times": times, "years": ["2027"], "months": ["january"], "days_of_month": ["2"]},
    ]


def test_the_reason_of_a_downtime_stands_at_the_head_of_the_file() -> None:
    assert "\n# downtime-night: backups\n" in render([_service(downtimes=(_downtime(),))])[0].text


def test_two_downtimes_of_one_name_keep_apart() -> None:
    first, second = _service("a", downtimes=(_downtime(),)), _service("b", downtimes=(_downtime(start=0),))
    config = _config(first, second)

    assert [one["name"] for one in config["time_intervals"]] == ["downtime-b-night", "downtime-night"]


def test_every_inhibition_asks_both_sides_for_a_service_and_the_same_service_and_environment() -> None:
    rules = _config(_service(), stronger=notifications.STRONGER)["inhibit_rules"]

    assert len(rules) == len(notifications.STRONGER) + 1
    for rule in rules:
        assert 'service!=""' in rule["source_matchers"]
        assert 'service!=""' in rule["target_matchers"]
        assert {"service", "environment"} <= set(rule["equal"])


def test_dead_targets_silence_what_follows_from_them_and_nothing_else() -> None:
    rule = _config(_service())["inhibit_rules"][0]

    assert rule["source_matchers"][0] == 'alertname="JobAllTargetsDown"'
    assert 'category!~"backups|security|tls"' in rule["target_matchers"]
    (never,) = (matcher for matcher in rule["target_matchers"] if matcher.startswith("alertname!~"))
    assert {"JobAllTargetsDown", "AlertmanagerNotifyFailing", "Watchdog"} <= set(never[12:-1].split("|"))


def test_no_alert_that_inhibition_names_is_unknown() -> None:
    rules = _config(_service(), stronger=notifications.STRONGER)["inhibit_rules"]
    known = {*registry.entries(), *slo.ALERTS, "Watchdog"}
    matchers = [matcher for rule in rules for matcher in (*rule["source_matchers"], *rule["target_matchers"])]
    named = [m.split('"')[1].split("|") for m in matchers if m.startswith("alertname")]

    assert {name for names in named for name in names} <= known


def test_a_page_silences_only_the_ticket_that_says_less_of_the_same() -> None:
    rules = _config(_service(), stronger=[("High", "Elevated")], group_labels=["http_route"])["inhibit_rules"]

    assert rules[1]["source_matchers"] == ['alertname="High"', 'severity="page"', 'service!=""']
    assert rules[1]["target_matchers"] == ['alertname="Elevated"', 'severity="ticket"', 'service!=""']
    assert {"sloth_id", "job_name", "instance", "http_route"} <= set(rules[1]["equal"])


def test_the_alerts_of_each_pair_exist_and_watch_the_same_panel() -> None:
    panels = {name: entry.panel for name, (_, entry) in registry.entries().items()}
    known = [pair for pair in notifications.STRONGER if pair[0] in panels or pair[1] in panels]

    assert known
    for page, ticket in known:
        assert panels[page] == panels[ticket]


@pytest.mark.parametrize(
    ("name", "section", "field"),
    [
        ("pagerduty-shop", "pagerduty_configs", "routing_key_file"),
        ("slack-shop", "slack_configs", "api_url_file"),
        ("opsgenie-shop", "opsgenie_configs", "api_key_file"),
        ("teams-shop", "msteamsv2_configs", "webhook_url_file"),
        ("webhook-shop", "webhook_configs", "url_file"),
    ],
)
def test_a_secret_comes_from_a_file_of_its_own(name: str, section: str, field: str) -> None:
    receiver = _receiver(_config(_service(notify={"page": name})), name)

    assert receiver[section][0][field] == f"/run/secrets/{name}"
    assert receiver[section][0]["send_resolved"] is True


def test_the_directory_of_the_secrets_is_the_spec_s_choice() -> None:
    text = render([_service(routing=Routing(secrets="/etc/secrets"))])[0].text

    assert "/etc/secrets/pagerduty-shop" in text


def test_the_password_of_a_mail_server_is_a_file_and_needed_only_with_a_name() -> None:
    for settings, expected in ((_EMAIL, None), ({**_EMAIL, "username": "me"}, "/run/secrets/email-a")):
        routing = Routing(receivers={"email-a": settings})
        config = _config(_service(notify={"page": "email-a"}, routing=routing))
        assert _receiver(config, "email-a")["email_configs"][0].get("auth_password_file") == expected


def test_no_secret_ever_stands_in_the_text() -> None:
    routing = Routing(alertmanager=(0, 28), receivers={"email-x": {**_EMAIL, "username": "me"}})
    text = "".join(
        render([_service(notify={"page": f"{kind}-x"}, routing=routing)])[0].text for kind in RECEIVER_KINDS
    )

    assert "_file: " in text
    assert re.findall(r"\b(?:routing_key|api_url|api_key|url|webhook_url|auth_password|token):", text) == []


def test_a_webhook_address_that_is_no_secret_stands_in_the_text() -> None:
    notify = {"page": "webhook-x"}
    shared = _config(_service(notify=notify, links=Links(webhook="http://127.0.0.1:9/")))
    own = Routing(receivers={"webhook-x": {"url": "http://127.0.0.1:8/"}})
    named = _config(_service(notify=notify, links=Links(webhook="http://127.0.0.1:9/"), routing=own))

    assert _receiver(shared, "webhook-x")["webhook_configs"][0]["url"] == "http://127.0.0.1:9/"
    assert _receiver(named, "webhook-x")["webhook_configs"][0]["url"] == "http://127.0.0.1:8/"


@pytest.mark.parametrize(("receiver", "since"), [("teams-x", "0.28"), ("webhook-x", "0.26")])
def test_what_an_old_alertmanager_cannot_do_is_an_error_that_says_what_to_write(
    receiver: str, since: str
) -> None:
    routing = Routing(place=Place("a.yml", 7, 9))

    with pytest.raises(SpecError) as caught:
        render([_service(notify={"page": receiver}, routing=routing)])
    assert f"needs Alertmanager {since}, and this configuration is for 0.25" in caught.value.message
    assert caught.value.where == "a.yml:7:9"
    assert caught.value.hint is not None
    assert f"notify: {{alertmanager: {since}}}" in caught.value.hint


def test_one_receiver_with_two_addresses_is_an_error() -> None:
    notify = {"page": "webhook-x"}
    first = _service("a", notify=notify, links=Links(webhook="http://127.0.0.1:1/"))
    second = _service("b", notify=notify, links=Links(webhook="http://127.0.0.1:2/"))

    with pytest.raises(SpecError, match="'webhook-x' has other settings"):
        render([first, second])


def test_every_receiver_that_a_route_names_exists_and_is_used() -> None:
    config = _config(
        _service("a"),
        _service("b", notify={"page": "opsgenie-b", "none": "slack-b"}),
        _service("c", team="other", notify={}),
    )
    text = yaml.safe_dump(config["route"])

    used = set(re.findall(r"receiver: (\S+)", text))
    assert used == {receiver["name"] for receiver in config["receivers"]}


def test_waiting_times_come_from_the_environment() -> None:
    config = _config(_service(grouping=Grouping(Duration.parse("1s"), Duration.parse("2s"))))

    (team,) = _teams(config)
    assert (team["group_wait"], team["group_interval"]) == ("1s", "2s")
    assert config["route"]["routes"][0]["group_interval"] == "2s"


def test_the_demo_of_the_shop_waits_for_seconds_and_for_no_hours() -> None:
    config = _config(*_shop("demo"))

    assert (config["route"]["group_wait"], config["route"]["group_interval"]) == ("1s", "2s")
    assert "time_intervals" not in config
    assert config["route"]["routes"][0]["receiver"] == "dead-man"


def test_every_template_that_a_receiver_names_is_defined_once() -> None:
    routing = Routing(alertmanager=(0, 28), receivers={"email-x": _EMAIL})
    texts = [
        render([_service(notify={"page": f"{kind}-x"}, routing=routing)])[0].text for kind in RECEIVER_KINDS
    ]
    templates = render([_service()])[1].text
    defined = re.findall(r'\{\{ define "([\w.]+)" ', templates)
    named = {name for text in (*texts, templates) for name in re.findall(r'template \\?"([\w.]+)\\?"', text)}

    assert len(defined) == len(set(defined))
    assert named == set(defined)


def test_routes_are_tested_for_every_team_tier_and_severity() -> None:
    services = [_service("a"), _service("b", team="other", tier="standard", notify={"page": "slack-b"})]
    written = yaml.safe_load(render(services)[2].text)

    ways = {
        (test["labels"].get("team"), test["labels"].get("tier"), test["labels"].get("severity")): test[
            "receivers"
        ]
        for test in written["tests"]
    }
    assert written["config"] == "../alertmanager.yml"
    assert ways[("shop", services[0].tier, "page")] == ["pagerduty-shop"]
    assert ways[("other", "standard", "page")] == ["slack-b"]
    assert ways[("other", "standard", "ticket")] == ["nobody"]
    assert ways[("platform", None, "none")] == ["dead-man"]
    assert len(ways) == 2 * 3 + 3
