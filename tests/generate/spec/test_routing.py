"""`notify:`, `grouping:` and `links:`: what they give, and what is answered to a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import SpecError
from obs.generate.model import Hours, Service
from obs.generate.spec.load import load

HEAD = "version: obs/v1\nservice: {name: a, team: one, tier: TIER}\n"


def _load(folder: Path, text: str, *, tier: str = "standard", environment: str | None = None) -> Service:
    path = folder / "a.yml"
    path.write_text(HEAD.replace("TIER", tier) + text, encoding="utf-8")
    return load([path], environment)[0]


def test_a_tier_may_have_receivers_of_its_own(tmp_path: Path) -> None:
    text = "notify: {page: pagerduty-a, ticket: slack-a, tiers: {standard: {page: slack-b}}}"

    assert _load(tmp_path, text).notify == {"page": "slack-b", "ticket": "slack-a"}
    assert _load(tmp_path, text, tier="critical").notify == {"page": "pagerduty-a", "ticket": "slack-a"}


def test_an_environment_changes_receivers_and_lifts_hours_and_heartbeat(tmp_path: Path) -> None:
    text = (
        "notify: {page: slack-a, heartbeat: slack-b, hours: {from: '09:00', to: '17:00', zone: UTC}}\n"
        "environments: {demo: {notify: {page: slack-c, hours: any, heartbeat: nobody}}}"
    )
    plain, demo = _load(tmp_path, text), _load(tmp_path, text, environment="demo")

    assert plain.routing.hours == Hours(("monday:friday",), "09:00", "17:00", "UTC")
    assert (plain.routing.heartbeat, plain.notify["page"]) == ("slack-b", "slack-a")
    assert (demo.routing.hours, demo.routing.heartbeat, demo.notify["page"]) == (None, "", "slack-c")


def test_days_are_one_or_a_list_of_days_and_ranges(tmp_path: Path) -> None:
    text = "notify: {{hours: {{days: {}, from: '09:00', to: '24:00', zone: Europe/Berlin}}}}"

    for days, expected in (("monday", ("monday",)), ("[sunday:monday, friday]", ("sunday:monday", "friday"))):
        hours = _load(tmp_path, text.format(days)).routing.hours
        assert hours is not None
        assert hours.days == expected


def test_links_name_the_data_sources_of_explore(tmp_path: Path) -> None:
    links = _load(tmp_path, "links: {logs: my-loki, grafana: https://g.example/}").links

    assert (links.logs, links.traces, links.grafana) == ("my-loki", "tempo", "https://g.example")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notify: {page: pager-a}", "notify.page: receiver 'pager-a' is of no known kind"),
        ("notify: {page: slack}", "receiver 'slack' is of no known kind"),
        ("notify: {tiers: {critical: {page: mail-a}}}", "notify.tiers.critical.page: receiver 'mail-a'"),
        ("notify: {tiers: {critical: {heartbeat: slack-a}}}", "unknown key 'heartbeat' in notify.tiers"),
        ("notify: {page: email-a}", "receiver 'email-a' needs to, from, smarthost"),
        (
            "notify: {page: email-a, receivers: {email-a: {to: x@y, from: nobody, smarthost: 'h:1'}}}",
            "receivers.email-a.from: got 'nobody', expected an address",
        ),
        (
            "notify: {page: email-a, receivers: {email-a: {to: x@y, from: x@y, smarthost: host}}}",
            "receivers.email-a.smarthost: got 'host', expected host and port",
        ),
        ("notify: {receivers: {slack-a: {chanel: x}}}", "unknown key 'chanel' in notify.receivers.slack-a"),
        ("notify: {receivers: {slack-a: {url: x}}}", "unknown key 'url' in notify.receivers.slack-a"),
        ("notify: {receivers: {webhook-a: {url: x}}}", "receivers.webhook-a.url: got 'x'"),
        (
            "notify: {hours: {from: '9:00', to: '17:00', zone: UTC}}",
            "hours.from: got '9:00', expected a time",
        ),
        ("notify: {hours: {from: '17:00', to: '09:00', zone: UTC}}", "17:00 to 09:00 is no time of one day"),
        ("notify: {hours: {from: '09:00', to: '17:00'}}", "notify.hours needs 'zone'"),
        (
            "notify: {hours: {days: friday:monday, from: '09:00', to: '17:00', zone: UTC}}",
            "got 'friday:monday', expected a day, or a range",
        ),
        ("notify: {hours: {days: freitag, from: '09:00', to: '17:00', zone: UTC}}", "days: got 'freitag'"),
        ("notify: {hours: {from: '09:00', to: '17:00', zone: 'a b'}}", "hours.zone: got 'a b'"),
        ("notify: {alertmanager: 0.24}", "notify.alertmanager: got 0.24, expected 0.25 or later"),
        ("notify: {alertmanager: new}", "notify.alertmanager: got 'new', expected a version"),
        ("notify: {secrets: relative/path}", "expected an absolute directory"),
        ("links: {logs: 'a b'}", "links.logs: got 'a b', expected the uid"),
        ("links: {grafana: grafana.example}", "links.grafana: got 'grafana.example'"),
        ("grouping: {wait: 0s, interval: 0s}", "grouping.interval: got '0s', expected more than zero"),
        ("kubernetes: {labels: {a: b}}", "kubernetes needs 'namespace'"),
        ("kubernetes: {namespace: Monitoring}", "kubernetes.namespace: got 'Monitoring'"),
        ("kubernetes: {namespace: m, labels: {a: 'b c'}}", "kubernetes.labels.a: got 'b c'"),
        ("kubernetes: {namespace: m, labels: {-a: b}}", "kubernetes.labels: got '-a'"),
        ("kubernetes: {namespace: m, path: metrics}", "kubernetes.path: got 'metrics'"),
        ("kubernetes: {namespace: m, targets: [A]}", "kubernetes.targets: got 'A'"),
    ],
)
def test_a_mistake_is_answered_with_its_place_and_what_was_expected(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        _load(tmp_path, text)

    assert message in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{tmp_path / 'a.yml'}:3:")
