"""The drill records each step it sees, and says what it saw instead of one that it misses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from obs.errors import VerifyError
from obs.verify.drill import STEPS, Drill
from obs.verify.prometheus import active_alerts, held_alerts, target_health
from obs.verify.webhook import Webhook

Answer = tuple[int, str]


class Double(ThreadingHTTPServer):
    """Prometheus, Alertmanager and runbooks with canned answers, for what real ones do not do on demand.

    Answers GET by `pages`: path -> what it says now. Unknown paths are 404.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Callable[[], Answer]] = {}
        #: State of the alert that /api/v1/alerts lists; none when empty.
        self.state = ""
        self.active_at = "2026-11-05T10:00:00.123456789Z"
        self.labels: dict[str, str] = {"alertname": "HttpErrorRatioHigh", "service": "payments"}
        self.held: list[str] = []
        self.pages["/api/v1/alerts"] = lambda: (200, json.dumps({"data": {"alerts": self._alerts()}}))
        self.pages["/api/v2/alerts"] = lambda: (200, json.dumps(self._held()))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def _alerts(self) -> list[dict[str, Any]]:
        if not self.state:
            return []
        return [{"labels": self.labels, "state": self.state, "activeAt": self.active_at}]

    def _held(self) -> list[dict[str, Any]]:
        return [{"labels": {"alertname": name}} for name in self.held]


class _Handler(BaseHTTPRequestHandler):
    server: Double

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        status, text = page() if page else (404, "not here")
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's signature
        pass


@pytest.fixture(autouse=True)
def a_proxy_that_would_swallow_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")


@pytest.fixture
def engines() -> Iterator[Double]:
    server = Double()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as receiver:
        yield receiver


def drill(engines: Double, webhook: Webhook, **deadlines: float) -> Drill:
    short = dict.fromkeys(("pending", "firing", "notified", "runbook", "resolved"), 10.0)
    return Drill(
        prometheus=engines.url,
        alertmanager=engines.url,
        webhook=webhook,
        alert="HttpErrorRatioHigh",
        labels={"service": "payments"},
        deadlines={**short, **deadlines},
    )


class Incident:
    """An incident that goes through the states as the drill asks for them."""

    def __init__(self, engines: Double, webhook: Webhook, states: list[str]) -> None:
        self.engines = engines
        self.webhook = webhook
        self.states = states
        self.repaired = False
        engines.pages["/runbook"] = lambda: (200, "<h1>HttpErrorRatioHigh</h1>")
        canned = engines.pages["/api/v1/alerts"]

        def advance() -> Answer:
            if self.states:
                engines.state = self.states.pop(0)
                if engines.state == "firing" and not self.states:
                    self.notify("firing")
            return canned()

        engines.pages["/api/v1/alerts"] = advance

    def notify(self, status: str, **labels: str) -> None:
        alert = {
            "status": status,
            "labels": {**self.engines.labels, **labels},
            "annotations": {"runbook_url": f"{self.engines.url}/runbook"},
        }
        httpx.post(self.webhook.url, json={"alerts": [alert]}, trust_env=False)

    def repair(self) -> None:
        self.repaired = True
        self.engines.state = ""
        self.notify("resolved")


def nothing() -> None:
    pass


def test_every_step_is_seen_in_order(engines: Double, webhook: Webhook) -> None:
    incident = Incident(engines, webhook, ["", "pending", "pending", "firing"])

    timeline = drill(engines, webhook).run(nothing, incident.repair)

    assert timeline.complete
    assert tuple(timeline.steps) == STEPS
    assert list(timeline.steps.values()) == sorted(timeline.steps.values())
    assert timeline.runbook_url == f"{engines.url}/runbook"


def test_a_pending_phase_between_two_looks_is_taken_from_prometheus(
    engines: Double, webhook: Webhook
) -> None:
    incident = Incident(engines, webhook, ["", "firing"])

    timeline = drill(engines, webhook).run(nothing, incident.repair)

    assert timeline.complete
    # The canned activeAt lies before the fault, so pending counts as seen at once.
    assert timeline.steps["pending"] == 0.0


@pytest.mark.parametrize(
    ("state", "step", "seen"),
    [
        ("", "pending", "active alerts: none"),
        ("pending", "firing", "HttpErrorRatioHigh is still pending"),
        ("firing", "notified", "no notification; Alertmanager holds Watchdog"),
    ],
)
def test_a_missed_step_says_what_was_seen_instead_and_is_still_repaired(
    engines: Double, webhook: Webhook, state: str, step: str, seen: str
) -> None:
    engines.state = state
    engines.held = ["Watchdog"]
    repaired: list[bool] = []

    timeline = drill(engines, webhook, **{step: 0.3}).run(nothing, lambda: repaired.append(True))

    assert repaired == [True]
    assert not timeline.complete
    assert timeline.missed is not None
    assert (timeline.missed.step, timeline.missed.seen) == (step, seen)
    assert step not in timeline.steps


def test_the_same_alert_of_another_service_is_not_ours(engines: Double, webhook: Webhook) -> None:
    engines.state = "firing"
    engines.labels = {"alertname": "HttpErrorRatioHigh", "service": "storefront"}

    timeline = drill(engines, webhook, pending=0.3).run(nothing, nothing)

    assert timeline.missed is not None
    assert timeline.missed.seen == "active alerts: HttpErrorRatioHigh (firing)"


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ((404, "no such page"), "answered 404"),
        ((200, "<h1>Something else</h1>"), "does not name HttpErrorRatioHigh"),
    ],
)
def test_a_runbook_link_that_leads_nowhere_is_a_missed_step(
    engines: Double, webhook: Webhook, page: Answer, seen: str
) -> None:
    incident = Incident(engines, webhook, ["pending", "firing"])
    engines.pages["/runbook"] = lambda: page

    timeline = drill(engines, webhook, runbook=0.3).run(nothing, incident.repair)

    assert timeline.missed is not None
    assert timeline.missed.step == "runbook"
    assert seen in timeline.missed.seen


def test_a_notification_from_before_the_fault_does_not_count(engines: Double, webhook: Webhook) -> None:
    Incident(engines, webhook, []).notify("firing")
    engines.state = "firing"

    timeline = drill(engines, webhook, notified=0.3).run(nothing, nothing)

    assert timeline.missed is not None
    assert timeline.missed.step == "notified"


def test_an_alert_that_never_ends_is_a_missed_resolution(engines: Double, webhook: Webhook) -> None:
    Incident(engines, webhook, ["pending", "firing"])

    timeline = drill(engines, webhook, resolved=0.3).run(nothing, nothing)

    assert timeline.missed is not None
    assert (timeline.missed.step, timeline.missed.seen) == ("resolved", "HttpErrorRatioHigh is still firing")


def test_an_engine_that_does_not_answer_is_could_not_check(engines: Double, webhook: Webhook) -> None:
    engines.pages["/api/v1/alerts"] = lambda: (503, "starting")

    with pytest.raises(VerifyError, match="Prometheus answered 503") as caught:
        drill(engines, webhook).run(nothing, nothing)

    assert caught.value.exit_code == 3


def test_an_absent_engine_is_could_not_check() -> None:
    with pytest.raises(VerifyError, match="Alertmanager does not answer"):
        held_alerts("http://127.0.0.1:1")


def test_go_times_are_read_to_the_microsecond(engines: Double) -> None:
    engines.state = "firing"
    assert active_alerts(engines.url)[0].active_at == pytest.approx(1793872800.123456, abs=1e-5)


def test_targets_are_told_by_service(engines: Double) -> None:
    targets = [
        {"labels": {"service": "payments"}, "scrapeUrl": "a", "health": "up"},
        {"labels": {}, "scrapeUrl": "b", "health": "unknown"},
    ]
    engines.pages["/api/v1/targets"] = lambda: (200, json.dumps({"data": {"activeTargets": targets}}))

    assert target_health(engines.url) == {"payments": "up", "b": "unknown"}
