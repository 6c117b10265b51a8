"""Alerts reach a real receiver: the first event of a kind, a line of a log, the dead man's switch; and how soon."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import yaml
from tests.engines.stack.conftest import Scene
from tests.engines.stack.shop import ENVIRONMENT
from tests.engines.waiting import await_

from obs.stack import bundle
from obs.stack.servers import SERVERS

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

#: What is posted to Alertmanager by hand carries it, so that it mixes with nothing of the running stack.
_ELSEWHERE, _NEXT_DOOR = "elsewhere", "next-door"
#: Of generated pairs the stronger silences the weaker of the same service.
_STRONGER = {
    "CertificateExpiresSoon": "CertificateExpiresVerySoon",
    "ErrorBudgetBurnSlow": "ErrorBudgetBurnFast",
    "HttpErrorRatioElevated": "HttpErrorRatioHigh",
}
#: What a reader of the figures must know.
_PACE = "scrapes and evaluations every 2 s here, every 15 s as committed"


def _arrival(scene: Scene, name: str) -> float:
    def found() -> float:
        # Another test posts alerts of these names by hand.
        own = {"service": "storefront", "environment": ENVIRONMENT}
        alert = scene.notified.find(lambda one: one.concerns(name, own))
        return alert.at if alert else 0.0

    return await_(found, f"{name} arrives at the receiver", within=240.0)


@pytest.mark.ripens
def test_the_first_event_of_its_kind_is_notified(scene: Scene, note: Callable[[str], None]) -> None:
    taken = _arrival(scene, "FirstEvent") - scene.story.first_answer
    note(
        f"freshness: alert on a counter's first event notified after {taken:.1f} s (promised: 60 s; {_PACE})"
    )


@pytest.mark.ripens
def test_a_line_that_tells_of_a_crash_is_notified(scene: Scene, note: Callable[[str], None]) -> None:
    taken = _arrival(scene, "LogPanic") - scene.story.panic
    note(f"freshness: alert on a log line notified after {taken:.1f} s (promised: 60 s; {_PACE})")


@pytest.mark.ripens
def test_the_dead_man_s_switch_arrives(scene: Scene) -> None:
    # Another test posts one of another environment by hand.
    own = {"service": "fleet", "environment": "all"}
    await_(
        lambda: scene.notified.find(lambda one: one.concerns("Watchdog", own) and one.status == "firing"),
        "the watchdog arrives",
    )
    # Without Prometheus, which repeats it, it ends: that is what whoever waits for it is told of.
    (alert,) = scene.stack.alerts(alertname="Watchdog", **own)
    left = datetime.fromisoformat(alert["endsAt"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
    assert left < timedelta(minutes=5)


def test_the_end_of_each_certificate_is_watched_under_its_own_name(scene: Scene) -> None:
    # As the alert on it asks.
    left = 'min by (service, instance) (probe_ssl_earliest_cert_expiry{service="runbooks"}) - time()'
    found = await_(lambda: scene.stack.query(left), "the ends of certificates are scraped")
    days = {one["metric"]["instance"]: float(one["value"][1]) / 86400 for one in found}
    assert {*SERVERS, "ca", "client"} == set(days)
    assert 89 < days["loki"] < 90


def _alerts() -> list[dict[str, str]]:
    """Return the labels of each generated alert, once for every service that it knows."""
    groups = [
        group
        for kind in ("prometheus", "loki")
        for file in sorted(bundle.path("alerts", kind).glob("*.yml"))
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    ]
    return [
        {**rule["labels"], "alertname": rule["alert"], "environment": _ELSEWHERE}
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    ]


def _post(scene: Scene, alerts: list[dict[str, str]]) -> None:
    url = f"{scene.stack.url('alertmanager')}/api/v2/alerts"
    body = json.dumps([{"labels": labels} for labels in alerts]).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310 - our own server
    request.add_header("Authorization", scene.stack.login)
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()


def test_a_service_that_is_gone_silences_its_own_alerts_and_nobody_else_s(scene: Scene) -> None:
    gone = {
        "alertname": "JobAllTargetsDown", "service": "payments", "environment": _ELSEWHERE, "severity": "page",
        "team": "shop", "category": "targets",
    }  # fmt: skip
    others = [one for one in _alerts() if one["alertname"] != "JobAllTargetsDown"]
    stranger = {"alertname": "Unowned", "environment": _ELSEWHERE, "severity": "page"}
    # The same service is well in another environment.
    neighbours = [{**one, "environment": _NEXT_DOOR} for one in others if one["service"] == "payments"]
    posted = [gone, *others, stranger, *neighbours]
    _post(scene, posted)

    def seen() -> list[dict[str, Any]]:
        return [one for where in (_ELSEWHERE, _NEXT_DOOR) for one in scene.stack.alerts(environment=where)]

    def silenced(found: list[dict[str, Any]]) -> list[dict[str, str]]:
        return [one["labels"] for one in found if one["status"]["inhibitedBy"]]

    def all_seen() -> list[dict[str, Any]]:
        found = seen()
        # Who silences others may be known a moment later than they are.
        is_settled = wanted <= {one["alertname"] for one in silenced(found)}
        return (
            found if len(found) == len({tuple(sorted(one.items())) for one in posted}) and is_settled else []
        )

    wanted = {"HttpErrorRatioHigh", "HttpLatencyP99High", *_STRONGER}
    found = await_(
        all_seen,
        f"Alertmanager knows all {len(posted)} and silences {wanted}",
        instead=lambda: (len(seen()), silenced(seen())),
    )
    labels = {one["fingerprint"]: one["labels"] for one in found}
    for one in found:
        for source in (labels[fingerprint] for fingerprint in one["status"]["inhibitedBy"]):
            same = {source[label] == one["labels"][label] for label in ("service", "environment")}
            assert same == {True}, f"{source} silences {one['labels']}"
            assert source["alertname"] in ("JobAllTargetsDown", _STRONGER.get(one["labels"]["alertname"])), (
                one
            )
    spared = {one["labels"]["alertname"] for one in found if not one["status"]["inhibitedBy"]}
    assert {"Watchdog", "JobAllTargetsDown", "Unowned", "AlertmanagerNotifyFailing"} <= spared
    of_the_gone = {one.get("category", "") for one in silenced(found) if one["alertname"] not in _STRONGER}
    assert not of_the_gone & {"backups", "security", "tls"}
