from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.errors import SpecError
from obs.generate.model import RECEIVER_KINDS, Duration, Grouping, Links, Service
from obs.generate.render.alertmanager import render
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[2] / "specs" / "shop"


@cache
def _shop(environment: str | None = None) -> tuple[Service, ...]:
    return tuple(load([SPECS], environment=environment))


def _service(name: str = "payments", **changes: Any) -> Service:
    notify = {"page": "pagerduty-shop", "ticket": "slack-shop"}
    return replace(_shop()[0], **{"name": name, "notify": notify, "links": Links(), **changes})


def _config(*services: Service) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(render(services).text)
    return data


def _receiver(config: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(receiver for receiver in config["receivers"] if receiver["name"] == name)
    return found


def test_it_is_one_file_with_the_same_bytes_whatever_the_order() -> None:
    first, second = _service("a"), _service("b", notify={"page": "webhook-b"})

    assert render([first, second]) == render([second, first])
    assert str(render([first]).path) == "alerts/alertmanager.yml"


def test_alerts_are_grouped_by_name_service_and_environment() -> None:
    assert _config(_service())["route"]["group_by"] == ["alertname", "service", "environment"]


def test_the_heartbeat_goes_first_to_its_own_receiver_and_often() -> None:
    route = _config(_service())["route"]["routes"][0]

    assert route["matchers"] == ['alertname="Watchdog"']
    assert route["receiver"] == "dead-man"
    assert route["group_wait"] == "0s"
    assert "continue" not in route


def test_the_heartbeat_goes_where_severity_none_is_sent() -> None:
    config = _config(_service(notify={"page": "pagerduty-shop", "none": "webhook-heartbeat"}))

    assert config["route"]["routes"][0]["receiver"] == "webhook-heartbeat"
    assert "dead-man" not in [receiver["name"] for receiver in config["receivers"]]


def test_each_severity_has_a_route_and_a_page_repeats_sooner() -> None:
    route = _config(_service())["route"]["routes"][1]

    assert route["matchers"] == ['service="payments"']
    assert [(r["matchers"], r["receiver"], r["repeat_interval"]) for r in route["routes"]] == [
        (['severity="page"'], "pagerduty-shop", "4h"),
        (['severity="ticket"'], "slack-shop", "1d"),
        (['severity="none"'], "nobody", "1d"),
    ]


def test_services_that_notify_the_same_share_a_route() -> None:
    routes = _config(_service("a"), _service("b"), _service("c", notify={"page": "webhook-c"}))["route"][
        "routes"
    ]

    assert [route["matchers"] for route in routes[1:]] == [['service=~"a|b"'], ['service="c"']]


def test_an_alert_that_no_route_takes_reaches_people() -> None:
    other = {"page": "pagerduty-b", "ticket": "slack-b"}
    config = _config(_service("a"), _service("b", notify=other), _service("c"))

    assert config["route"]["receiver"] == "slack-shop"


def test_nobody_to_notify_is_a_valid_answer() -> None:
    config = _config(_service(notify={}))

    assert config["route"]["receiver"] == "nobody"
    assert {route["receiver"] for route in config["route"]["routes"][1]["routes"]} == {"nobody"}


def test_a_page_silences_only_the_ticket_of_the_same_alert_and_service() -> None:
    (rule,) = _config(_service())["inhibit_rules"]

    assert rule["source_matchers"] == ['severity="page"', 'service!=""']
    assert rule["target_matchers"] == ['severity="ticket"', 'service!=""', 'alertname!="Watchdog"']
    assert {"alertname", "service", "environment", "sloth_id", "job_name"} <= set(rule["equal"])


@pytest.mark.parametrize(
    ("name", "key", "field"),
    [
        ("pagerduty-shop", "pagerduty_configs", "routing_key_file"),
        ("slack-shop", "slack_configs", "api_url_file"),
        ("opsgenie-shop", "opsgenie_configs", "api_key_file"),
        ("webhook-shop", "webhook_configs", "url_file"),
    ],
)
def test_a_secret_comes_from_a_file_of_its_own(name: str, key: str, field: str) -> None:
    receiver = _receiver(_config(_service(notify={"page": name})), name)

    assert receiver[key][0][field] == f"/run/secrets/{name}"
    assert receiver[key][0]["send_resolved"] is True


def test_no_secret_ever_stands_in_the_text() -> None:
    kinds = ("pagerduty-x", "slack-x", "opsgenie-x", "webhook-x")
    text = "".join(render([_service(notify={"page": kind})]).text for kind in kinds)

    assert re.findall(r"\b(?:routing_key|api_url|api_key|url|password|token):", text) == []


def test_a_webhook_address_of_the_environment_stands_in_the_text() -> None:
    config = _config(_service(notify={"page": "webhook-x"}, links=Links(webhook="http://127.0.0.1:9/")))

    assert _receiver(config, "webhook-x")["webhook_configs"] == [
        {"url": "http://127.0.0.1:9/", "send_resolved": True}
    ]


def test_notifications_carry_runbook_and_dashboard() -> None:
    text = render([_service(notify={"page": "pagerduty-x", "ticket": "slack-x"})]).text

    assert text.count("runbook_url") >= 3
    assert text.count("dashboard_url") >= 2


def test_every_kind_that_a_spec_may_name_is_rendered() -> None:
    notify = {"page": f"{RECEIVER_KINDS[0]}-x"}
    for kind in RECEIVER_KINDS:
        notify["page"] = f"{kind}-x"
        assert f"{kind}_configs" in render([_service(notify=notify)]).text


def test_one_receiver_with_two_addresses_is_an_error() -> None:
    notify = {"page": "webhook-x"}
    first = _service("a", notify=notify, links=Links(webhook="http://127.0.0.1:1/"))
    second = _service("b", notify=notify, links=Links(webhook="http://127.0.0.1:2/"))

    with pytest.raises(SpecError, match="another webhook address"):
        render([first, second])


def test_waiting_times_come_from_the_environment() -> None:
    quick = Grouping(Duration.parse("1s"), Duration.parse("2s"))
    config = _config(_service(grouping=quick))

    route = config["route"]["routes"][1]
    assert (route["group_wait"], route["group_interval"]) == ("1s", "2s")
    assert config["route"]["routes"][0]["group_interval"] == "2s"


def test_the_demo_of_the_shop_waits_for_seconds() -> None:
    route = _config(*_shop("demo"))["route"]

    assert (route["group_wait"], route["group_interval"]) == ("1s", "2s")


def test_every_receiver_that_a_route_names_exists_and_is_used() -> None:
    config = _config(_service("a"), _service("b", notify={"page": "webhook-b", "none": "webhook-heart"}))
    text = yaml.safe_dump(config["route"])

    used = set(re.findall(r"receiver: (\S+)", text))
    assert used == {receiver["name"] for receiver in config["receivers"]}
