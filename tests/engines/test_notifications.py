"""Notifications of a real Alertmanager: what arrives, in which words, with which links, and what does not."""

from __future__ import annotations

import datetime as dt
import json
import socketserver
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.generate import pipeline
from obs.generate.derive.templates import fill
from obs.generate.model import WEEKDAYS

pytestmark = pytest.mark.engines

#: Seconds; it only ends a failed test.
WITHIN = 120.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_SPECS = {
    "alpha": "{page: pagerduty-one, ticket: slack-one, heartbeat: webhook-dead, RECEIVERS}",
    "beta": "{page: opsgenie-two, ticket: email-two, heartbeat: webhook-dead, RECEIVERS}",
    "gamma": "{page: webhook-three, ticket: slack-three, heartbeat: webhook-dead, RECEIVERS, HOURS}",
}


class Inbox:
    """Everything that receivers were sent: path or kind -> bodies."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[str]] = {}
        self._changed = threading.Condition()

    def add(self, where: str, body: str) -> None:
        with self._changed:
            self.bodies.setdefault(where, []).append(body)
            self._changed.notify_all()

    def wait(self, where: str, count: int = 1) -> list[str]:
        """Return what arrived there, once there are `count`."""
        deadline = time.monotonic() + WITHIN
        with self._changed:
            while len(self.bodies.get(where, [])) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"nothing for {where}, but { ({k: len(v) for k, v in self.bodies.items()}) }"
                self._changed.wait(left)
            return list(self.bodies[where])


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def http(inbox: Inbox) -> Iterator[int]:
    """The port of a server that takes every notification."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            inbox.add(urllib.parse.urlsplit(self.path).path, body)
            answer = b'{"status": "success", "ok": true}'
            self.send_response(202)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@pytest.fixture
def smtp(inbox: Inbox) -> Iterator[int]:
    """The port of a mail server that takes every message."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 localhost\r\n")
            while line := self.rfile.readline():
                word = line.split()[0].upper() if line.split() else b""
                if word == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline()) not in {b".\r\n", b""}:
                        lines.append(text)
                    inbox.add("mail", b"".join(lines).decode())
                self.wfile.write(b"250 ok\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler)) as port:
        yield port


class Alerting:
    """A running Alertmanager with a generated configuration."""

    def __init__(self, url: str, rules: Mapping[str, Mapping[str, Any]]) -> None:
        self.url = url
        self._rules = rules

    def labels(self, name: str, service: str, **more: str) -> dict[str, str]:
        """Return the labels with which Prometheus would send an alert of ours."""
        rule = self._rules[f"{service}/{name}"]
        return {"alertname": name, "environment": "production", **rule["labels"], **more}

    def send(self, *alerts: Mapping[str, str], value: float = 0.25) -> None:
        """Send alerts; those of our rules with the annotations of the rule, filled in as Prometheus does."""
        body = []
        for labels in alerts:
            rule = self._rules.get(f"{labels.get('service')}/{labels['alertname']}")
            texts = rule["annotations"] if rule else {}
            filled = {key: fill(text, labels, value) for key, text in texts.items()}
            body.append({"labels": labels, "annotations": filled, "generatorURL": "http://127.0.0.1/graph"})
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with _direct.open(request, timeout=60) as answer:
            assert answer.status == 200

    def inhibited(self) -> dict[str, bool]:
        """Tell of every alert whether another one silences it; its name is what the test called it."""
        with _direct.open(f"{self.url}/api/v2/alerts", timeout=60) as answer:
            found = json.load(answer)
        return {alert["labels"]["case"]: bool(alert["status"]["inhibitedBy"]) for alert in found}


@pytest.fixture
def alerting(route: str, http: int, smtp: int, tmp_path: Path, start_stack: Callable[..., Any]) -> Alerting:
    """Alertmanager of each route, with the configuration of three services of three teams."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("slack-one", "slack-three"):
        (secrets / name).write_text(f"http://127.0.0.1:{http}/{name}", encoding="utf-8")
    for name in ("pagerduty-one", "opsgenie-two"):
        (secrets / name).write_text("a-secret-key", encoding="utf-8")
    receivers = (
        f"secrets: {secrets}, receivers: {{webhook-dead: {{url: 'http://127.0.0.1:{http}/dead'}}, "
        f"webhook-three: {{url: 'http://127.0.0.1:{http}/webhook'}}, pagerduty-one: {{url: 'http://127.0.0.1:{http}/pager'}}, "
        f"opsgenie-two: {{url: 'http://127.0.0.1:{http}/genie'}}, "
        f"email-two: {{to: on-call@example.com, from: obs@example.com, smarthost: '127.0.0.1:{smtp}'}}}}"
    )
    # Neither yesterday, nor today, nor tomorrow, whatever the time zone is.
    never = WEEKDAYS[(dt.datetime.now(dt.timezone.utc).isoweekday() + 3) % 7]
    hours = f"hours: {{days: [{never}], from: '09:00', to: '10:00', zone: UTC}}"
    specs = tmp_path / "specs"
    specs.mkdir()
    for name, notify in _SPECS.items():
        written = notify.replace("RECEIVERS", receivers).replace("HOURS", hours)
        (specs / f"{name}.yml").write_text(
            "version: obs/v1\n"
            f"service: {{name: {name}, team: team-{name}, tier: critical}}\n"
            "capabilities: [http, process]\n"
            "slos: {availability: {objective: 99.9, sli: {ratio: {total: http.server.requests, "
            "bad: {http.response.status_code: 5xx}}}}}\n"
            "links: {grafana: 'http://grafana.test', runbooks: 'http://runbooks.test'}\n"
            "grouping: {wait: 0s, interval: 1s, repeat: 1h}\n"
            f"notify: {written}\n",
            encoding="utf-8",
        )
    artefacts = pipeline.plan([specs])
    pipeline.write(artefacts, tmp_path / "out")
    rules = {
        f"{rule['labels']['service']}/{rule['alert']}": rule
        for artefact in artefacts
        if artefact.path.parts[:2] == ("alerts", "prometheus")
        for group in yaml.safe_load(artefact.text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    config = tmp_path / "out" / "alerts" / "alertmanager.yml"
    if route == "debian":
        # A plain server of mail offers no encryption, and the key is not one that specs have.
        assert "require_tls" not in config.read_text(encoding="utf-8")
    text = config.read_text(encoding="utf-8").replace("smarthost:", "require_tls: false\n        smarthost:")
    # PagerDuty and Opsgenie wait for no answer of ours that has another scheme than https elsewhere.
    config.write_text(text, encoding="utf-8")
    stack = start_stack(route=route, alertmanager_config=config)
    return Alerting(stack.alertmanager, rules)


def _silenced(text: str) -> dict[str, str]:
    """Return what the link to a new silence in `text` would silence."""
    quoted = (
        text.split("/#/silences/new?filter=")[1]
        .split("|", maxsplit=1)[0]
        .split('"', maxsplit=1)[0]
        .split("\n", maxsplit=1)[0]
        .split(")", maxsplit=1)[0]
    )
    inside = urllib.parse.unquote(quoted.strip().rstrip(">\\"))
    assert inside.startswith("{")
    assert inside.endswith("}")
    return {
        name: json.loads(value) for name, value in (part.split("=", 1) for part in inside[1:-1].split(","))
    }


def test_every_receiver_gets_its_words_and_links(alerting: Alerting, inbox: Inbox) -> None:
    page, ticket = "HttpErrorRatioHigh", "HttpErrorRatioElevated"
    for service in ("alpha", "beta", "gamma"):
        # A page silences the ticket that says less of the same, so each has an environment of its own.
        alerting.send(
            alerting.labels(page, service), alerting.labels(ticket, service, environment="the test floor")
        )

    slack = json.loads(inbox.wait("/slack-one")[0])["attachments"][0]
    assert slack["title"] == f"[FIRING:1] {ticket} · alpha (the test floor)"
    assert slack["title_link"] == f"http://runbooks.test/alpha/{ticket}"
    assert "alpha: 25% of requests fail" in slack["text"]
    for name, address in (
        ("Runbook", f"http://runbooks.test/alpha/{ticket}"),
        ("Dashboard", "http://grafana.test/d/obs-alpha?var-environment=the+test+floor"),
        ("Logs", "http://grafana.test/explore?schemaVersion=1"),
        ("Traces", "http://grafana.test/explore?schemaVersion=1"),
    ):
        (link,) = (part for part in slack["text"].split("<") if f"|{name}>" in part)
        assert link.startswith(address)
    expected = {"alertname": ticket, "environment": "the test floor", "service": "alpha"}
    assert _silenced(slack["text"]) == expected
    panes = slack["text"].split("panes=")[1].split("|")[0]
    assert (
        '{environment="the test floor", service="alpha"}'
        in json.loads(urllib.parse.unquote_plus(panes))["obs"]["queries"][0]["expr"]
    )

    pager = json.loads(inbox.wait("/pager")[0])
    assert pager["routing_key"] == "a-secret-key"
    assert pager["payload"]["summary"] == f"[FIRING:1] {page} · alpha (production)"
    assert (pager["payload"]["severity"], pager["payload"]["component"]) == ("critical", "alpha")
    assert pager["payload"]["group"] == "team-alpha"
    links = {link["text"]: link["href"] for link in pager["links"]}
    assert links["Runbook"] == f"http://runbooks.test/alpha/{page}"
    assert set(links) == {"Runbook", "Dashboard", "Logs", "Traces", "Silence"}
    assert _silenced(links["Silence"])["service"] == "alpha"

    genie = json.loads(inbox.wait("/genie/v2/alerts")[0])
    assert genie["message"] == f"[FIRING:1] {page} · beta (production)"
    assert genie["priority"] == "P1"
    assert f"Runbook: http://runbooks.test/beta/{page}" in genie["description"]

    hook = json.loads(inbox.wait("/webhook")[0])
    assert hook["alerts"][0]["annotations"]["runbook_url"] == f"http://runbooks.test/gamma/{page}"

    mail = inbox.wait("mail")[0].replace("=\r\n", "")
    assert f'<a href=3D"http://runbooks.test/beta/{ticket}">Runbook</a>' in mail
    assert f"Runbook: http://runbooks.test/beta/{ticket}" in mail
    assert ">Silence</a>" in mail
    # Of a group of alerts, each one's link stands in the text that is not HTML, too.
    assert mail.count("http://grafana.test/d/obs-beta") == 2


def test_outside_of_working_hours_a_ticket_waits_and_a_page_does_not(
    alerting: Alerting, inbox: Inbox
) -> None:
    alerting.send(
        alerting.labels("HttpErrorRatioElevated", "gamma", environment="a"),
        alerting.labels("HttpErrorRatioElevated", "alpha", environment="a"),
    )
    inbox.wait("/slack-one")
    alerting.send(alerting.labels("HttpErrorRatioHigh", "gamma", environment="b"))

    inbox.wait("/webhook")
    assert "/slack-three" not in inbox.bodies


def test_an_alert_without_annotations_still_pages_with_addresses(alerting: Alerting, inbox: Inbox) -> None:
    alerting.send({"alertname": "ByHand", "team": "team-alpha", "service": "alpha", "severity": "page"})

    pager = json.loads(inbox.wait("/pager")[0])
    assert all(link["href"].startswith("http") for link in pager["links"])
    assert pager["payload"]["summary"] == "[FIRING:1] ByHand · alpha"


def test_the_heartbeat_reaches_the_dead_man_s_switch_again_and_again(
    alerting: Alerting, inbox: Inbox
) -> None:
    alerting.send({"alertname": "Watchdog", "service": "fleet", "severity": "none", "team": "platform"})

    assert len(inbox.wait("/dead", 2)) >= 2


def test_only_what_follows_is_silenced_and_no_innocent_alert(alerting: Alerting) -> None:
    def case(name: str, alert: Mapping[str, str], **labels: str) -> dict[str, str]:
        return {**alert, "case": name, **labels}

    def plain(name: str, service: str, severity: str, category: str, **labels: str) -> dict[str, str]:
        return {
            "alertname": name, "service": service, "severity": severity, "category": category,
            "environment": "production", **labels,
        }  # fmt: skip

    high, low = "HttpErrorRatioHigh", "HttpErrorRatioElevated"
    fast, slow = "ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"
    mine = {"alertname": high, "severity": "page", "environment": "production"}
    alerting.send(
        # All targets of alpha are gone.
        case("down", plain("JobAllTargetsDown", "alpha", "page", "targets")),
        case("its errors", alerting.labels(high, "alpha")),
        case("its memory", plain("ProcessMemoryHigh", "alpha", "ticket", "process")),
        case("its backup", plain("BackupStale", "alpha", "page", "backups")),
        case("its certificate", plain("CertificateExpiresVerySoon", "alpha", "page", "tls")),
        case("its intruder", plain("TokenReplayDetected", "alpha", "page", "security")),
        case("its other environment", alerting.labels(high, "alpha", environment="staging")),
        case("another service", alerting.labels(high, "beta", environment="staging")),
        # A page of beta, and tickets that say less of the same, or of something else.
        case("page", alerting.labels(high, "beta")),
        case("ticket of the same", alerting.labels(low, "beta")),
        case("ticket elsewhere", alerting.labels(low, "beta", environment="staging-2")),
        case("ticket of another alert", alerting.labels("HttpLatencyP99High", "beta")),
        case("burn", alerting.labels(fast, "gamma")),
        case("burn of the same", alerting.labels(slow, "gamma")),
        case("burn of another", alerting.labels(slow, "gamma"), sloth_id="gamma-latency"),
        case("nothing measured", alerting.labels("SliMetricAbsent", "gamma")),
        # What nobody has labelled silences nothing and is silenced by nothing.
        case("page of nobody", mine),
        case("ticket of nobody", {**mine, "alertname": low, "severity": "ticket"}),
        case("targets of nobody", {"alertname": "JobAllTargetsDown", "severity": "page"}),
        case("another of nobody", {"alertname": "OrdersDropped", "severity": "page"}),
        case("heartbeat", plain("Watchdog", "fleet", "none", "fleet")),
    )

    expected = {"its errors", "its memory", "ticket of the same", "burn of the same"}
    deadline = time.monotonic() + WITHIN
    while {name for name, is_inhibited in alerting.inhibited().items() if is_inhibited} != expected:
        assert time.monotonic() < deadline, alerting.inhibited()
        time.sleep(0.2)
    assert len(alerting.inhibited()) == 21
