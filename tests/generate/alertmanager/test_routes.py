"""Who hears of what: routes by team, tier and severity, the heartbeat, waiting times, and their tests."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
import yaml
from tests.generate.alertmanager.configured import configuration, receiver, service, shop, teams

from obs.errors import SpecError
from obs.generate.model import Duration, Grouping, Place, Routing
from obs.generate.render.alertmanager import render


def test_the_bytes_are_the_same_whatever_the_order() -> None:
    first, second = service("a"), service("b", notify={"page": "opsgenie-b"})

    assert render([first, second]) == render([second, first])


def test_three_files_come_out_and_the_configuration_names_the_templates() -> None:
    config, templates, tests = render([service()])

    assert [str(artefact.path) for artefact in (config, templates, tests)] == [
        "alerts/alertmanager.yml",
        "alerts/templates/obs.tmpl",
        "alerts/tests/routes.yml",
    ]
    (named,) = yaml.safe_load(config.text)["templates"]
    assert config.path.parent / PurePosixPath(named) == templates.path


def test_alerts_are_grouped_by_name_service_and_environment() -> None:
    assert configuration(service())["route"]["group_by"] == ["alertname", "service", "environment"]


def test_the_heartbeat_goes_first_to_the_dead_man_s_switch_and_often() -> None:
    config = configuration(service(routing=Routing(heartbeat="pagerduty-dead")))
    route = config["route"]["routes"][0]

    assert route["matchers"] == ['alertname="Watchdog"']
    assert (route["receiver"], route["group_wait"]) == ("pagerduty-dead", "0s")
    assert "continue" not in route
    assert "active_time_intervals" not in route


def test_without_a_switch_the_heartbeat_has_a_receiver_that_does_nothing() -> None:
    config = configuration(service())

    assert config["route"]["routes"][0]["receiver"] == "dead-man"
    assert receiver(config, "dead-man") == {"name": "dead-man"}


def test_two_switches_are_an_error() -> None:
    place = Place("b.yml", 3, 1)
    other = service("b", routing=Routing(heartbeat="slack-two", place=place))

    with pytest.raises(SpecError, match=r"b.yml:3:1: the heartbeat goes to 'slack-one'.*'slack-two'"):
        render([service("a", routing=Routing(heartbeat="slack-one")), other])


def test_each_severity_of_a_team_has_a_route_and_a_page_repeats_sooner() -> None:
    (team,) = teams(configuration(service()))

    assert team["matchers"] == ['team="shop"']
    assert [(r["matchers"], r["receiver"], r["repeat_interval"]) for r in team["routes"]] == [
        (['severity="page"'], "pagerduty-shop", "4h"),
        (['severity="ticket"'], "slack-shop", "1d"),
        (['severity="none"'], "nobody", "1d"),
    ]


def test_a_team_whose_tiers_differ_routes_by_tier() -> None:
    other = {"page": "slack-shop", "ticket": "slack-shop"}
    config = configuration(
        service("a", tier="critical"),
        service("b", tier="critical"),
        service("c", tier="standard", notify=other),
    )
    (team,) = teams(config)

    assert [route["matchers"] for route in team["routes"]] == [['tier="critical"'], ['tier="standard"']]


def test_services_of_one_tier_that_differ_are_routed_by_name_before_the_tiers() -> None:
    other = {"page": "slack-shop", "ticket": "slack-shop"}
    config = configuration(
        service("a", tier="critical"),
        service("b", tier="critical"),
        service("c", tier="critical", notify=other),
        service("d", tier="standard"),
    )
    (team,) = teams(config)

    assert [route["matchers"] for route in team["routes"]] == [
        ['service=~"a|b"'],
        ['service="c"'],
        ['tier="standard"'],
    ]


def test_a_team_s_alert_of_an_odd_severity_reaches_the_team() -> None:
    (first, second) = teams(
        configuration(service("a", team="one"), service("b", team="two", notify={"ticket": "slack-two"}))
    )

    assert (first["receiver"], second["receiver"]) == ("slack-shop", "slack-two")


def test_an_alert_of_nobody_reaches_people_and_a_page_those_who_are_paged() -> None:
    config = configuration(service("a"), service("b"))

    assert config["route"]["receiver"] == "slack-shop"
    assert config["route"]["routes"][-1] == {"receiver": "pagerduty-shop", "matchers": ['severity="page"']}


def test_nobody_to_notify_is_a_valid_answer() -> None:
    config = configuration(service(notify={}))

    assert config["route"]["receiver"] == "nobody"
    assert {route["receiver"] for route in teams(config)[0]["routes"]} == {"nobody"}


def test_every_receiver_that_a_route_names_exists_and_is_used() -> None:
    config = configuration(
        service("a"),
        service("b", notify={"page": "opsgenie-b", "none": "slack-b"}),
        service("c", team="other", notify={}),
    )
    text = yaml.safe_dump(config["route"])

    used = set(re.findall(r"receiver: (\S+)", text))
    assert used == {receiver["name"] for receiver in config["receivers"]}


def test_waiting_times_come_from_the_environment() -> None:
    config = configuration(service(grouping=Grouping(Duration.parse("1s"), Duration.parse("2s"))))

    (team,) = teams(config)
    assert (team["group_wait"], team["group_interval"]) == ("1s", "2s")
    assert config["route"]["routes"][0]["group_interval"] == "2s"


def test_the_demo_of_the_shop_waits_for_seconds_and_for_no_hours() -> None:
    config = configuration(*shop("demo"))

    assert (config["route"]["group_wait"], config["route"]["group_interval"]) == ("1s", "2s")
    assert "time_intervals" not in config
    assert config["route"]["routes"][0]["receiver"] == "dead-man"


def test_routes_are_tested_for_every_team_tier_and_severity() -> None:
    services = [service("a"), service("b", team="other", tier="standard", notify={"page": "slack-b"})]
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
