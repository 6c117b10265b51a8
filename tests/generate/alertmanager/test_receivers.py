"""Receivers: where their secrets are, what an old Alertmanager cannot do, and what they write."""

from __future__ import annotations

import re

import pytest
from tests.generate.alertmanager.configured import configuration, receiver, service

from obs.errors import SpecError
from obs.generate.model import RECEIVER_KINDS, Links, Place, Routing
from obs.generate.render.alertmanager import render

_EMAIL = {"to": "a@example.com", "from": "b@example.com", "smarthost": "localhost:25"}


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
    own = receiver(configuration(service(notify={"page": name})), name)

    assert own[section][0][field] == f"/run/secrets/{name}"
    assert own[section][0]["send_resolved"] is True


def test_the_directory_of_the_secrets_is_the_spec_s_choice() -> None:
    text = render([service(routing=Routing(secrets="/etc/secrets"))])[0].text

    assert "/etc/secrets/pagerduty-shop" in text


def test_the_password_of_a_mail_server_is_a_file_and_needed_only_with_a_name() -> None:
    for settings, expected in ((_EMAIL, None), ({**_EMAIL, "username": "me"}, "/run/secrets/email-a")):
        routing = Routing(receivers={"email-a": settings})
        config = configuration(service(notify={"page": "email-a"}, routing=routing))
        assert receiver(config, "email-a")["email_configs"][0].get("auth_password_file") == expected


def test_no_secret_ever_stands_in_the_text() -> None:
    routing = Routing(alertmanager=(0, 28), receivers={"email-x": {**_EMAIL, "username": "me"}})
    text = "".join(
        render([service(notify={"page": f"{kind}-x"}, routing=routing)])[0].text for kind in RECEIVER_KINDS
    )

    assert "_file: " in text
    assert re.findall(r"\b(?:routing_key|api_url|api_key|url|webhook_url|auth_password|token):", text) == []


def test_a_webhook_address_that_is_no_secret_stands_in_the_text() -> None:
    notify = {"page": "webhook-x"}
    shared = configuration(service(notify=notify, links=Links(webhook="http://127.0.0.1:9/")))
    own = Routing(receivers={"webhook-x": {"url": "http://127.0.0.1:8/"}})
    named = configuration(service(notify=notify, links=Links(webhook="http://127.0.0.1:9/"), routing=own))

    assert receiver(shared, "webhook-x")["webhook_configs"][0]["url"] == "http://127.0.0.1:9/"
    assert receiver(named, "webhook-x")["webhook_configs"][0]["url"] == "http://127.0.0.1:8/"


@pytest.mark.parametrize(("receiver", "since"), [("teams-x", "0.28"), ("webhook-x", "0.26")])
def test_what_an_old_alertmanager_cannot_do_is_an_error_that_says_what_to_write(
    receiver: str, since: str
) -> None:
    routing = Routing(place=Place("a.yml", 7, 9))

    with pytest.raises(SpecError) as caught:
        render([service(notify={"page": receiver}, routing=routing)])
    assert f"needs Alertmanager {since}, and this configuration is for 0.25" in caught.value.message
    assert caught.value.where == "a.yml:7:9"
    assert caught.value.hint is not None
    assert f"notify: {{alertmanager: {since}}}" in caught.value.hint


def test_one_receiver_with_two_addresses_is_an_error() -> None:
    notify = {"page": "webhook-x"}
    first = service("a", notify=notify, links=Links(webhook="http://127.0.0.1:1/"))
    second = service("b", notify=notify, links=Links(webhook="http://127.0.0.1:2/"))

    with pytest.raises(SpecError, match="'webhook-x' has other settings"):
        render([first, second])


def test_every_template_that_a_receiver_names_is_defined_once() -> None:
    routing = Routing(alertmanager=(0, 28), receivers={"email-x": _EMAIL})
    texts = [
        render([service(notify={"page": f"{kind}-x"}, routing=routing)])[0].text for kind in RECEIVER_KINDS
    ]
    templates = render([service()])[1].text
    defined = re.findall(r'\{\{ define "([\w.]+)" ', templates)
    named = {name for text in (*texts, templates) for name in re.findall(r'template \\?"([\w.]+)\\?"', text)}

    assert len(defined) == len(set(defined))
    assert named == set(defined)
