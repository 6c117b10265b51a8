"""The generated Alertmanager configuration, judged by the oldest and the newest amtool."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from obs.cli import judges
from obs.generate.derive import notifications
from obs.generate.model import Downtime, Hours, Links, Place, Routing, Service, Severity
from obs.generate.render.alertmanager import render
from obs.generate.spec.load import load
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

SPECS = Path(__file__).parents[2] / "specs" / "shop"
ADDRESS = {"webhook-heartbeat": {"url": "http://127.0.0.1:9/"}}
MAIL = {"to": "a@example.com", "from": "b@example.com", "smarthost": "127.0.0.1:2525", "username": "me"}
#: Every kind of receiver that the oldest engine knows, as specs name them.
NOTIFY: dict[Severity, str] = {"page": "pagerduty-shop", "ticket": "slack-shop"}
OTHER: dict[Severity, str] = {"page": "opsgenie-bank", "ticket": "email-bank", "none": "webhook-bank"}
#: What only newer ones know.
NEWER: dict[Severity, str] = {"page": "teams-shop", "ticket": "webhook-shop"}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _services(environment: str | None = None) -> list[Service]:
    return load([SPECS], environment=environment)


def _every_kind(**routing: Any) -> list[Service]:
    """Return the shop with every kind of receiver, working hours in a time zone, and a planned downtime."""
    hours = Hours(("monday:thursday", "friday"), "08:00", "18:00", "America/New_York")
    downtime = Downtime(
        "move", (), (dt.date(2026, 12, 24),), 0, 1440, "move of the data centre", Place("a.yml", 1, 1)
    )
    shared = Routing(hours, "webhook-heartbeat", {**ADDRESS, "email-bank": MAIL}, **routing)
    first, *rest = (
        replace(service, links=Links(webhook="http://127.0.0.1:9/"), routing=shared)
        for service in _services()
    )
    return [
        replace(first, notify=OTHER, downtimes=(downtime,)),
        *(replace(service, notify=NOTIFY) for service in rest),
    ]


@pytest.fixture
def amtool(route: str, installed: Callable[[str], dict[str, Engine]]) -> Run:
    """Run amtool of one route."""
    engine = installed(route)["amtool"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(engine.path), *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    return run


def _write(folder: Path, services: list[Service]) -> str:
    for artefact in render(services, stronger=notifications.STRONGER):
        path = folder / artefact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artefact.text, encoding="utf-8")
    return str(folder / "alerts" / "alertmanager.yml")


@pytest.mark.parametrize("environment", [None, "demo"])
def test_the_configuration_of_the_shop_is_valid(amtool: Run, tmp_path: Path, environment: str | None) -> None:
    answer = amtool("check-config", _write(tmp_path, _services(environment)))

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_kind_of_receiver_is_valid(amtool: Run, tmp_path: Path) -> None:
    answer = amtool("check-config", _write(tmp_path, _every_kind()))

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("pagerduty-shop", ["alertname=HttpErrorRatioHigh", "service=storefront", "severity=page"]),
        ("slack-shop", ["alertname=HttpErrorRatioElevated", "service=storefront", "severity=ticket"]),
        ("nobody", ["alertname=Any", "service=worker", "severity=none"]),
        ("webhook-bank", ["alertname=Any", "service=payments", "severity=none"]),
        ("opsgenie-bank", ["alertname=HttpErrorRatioHigh", "service=payments", "severity=page"]),
        ("email-bank", ["alertname=JobFailureRatioHigh", "service=payments", "severity=ticket"]),
        ("webhook-heartbeat", ["alertname=Watchdog", "service=fleet", "severity=none"]),
        ("webhook-heartbeat", ["alertname=Watchdog", "service=payments", "severity=page"]),
        ("pagerduty-shop", ["alertname=Unknown", "service=stranger", "severity=page"]),
        ("slack-shop", ["alertname=Unknown"]),
        ("slack-shop", ["alertname=Unknown", "service=worker", "severity=odd"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_an_alert_reaches_its_receiver(amtool: Run, tmp_path: Path, receiver: str, labels: list[str]) -> None:
    config = _write(tmp_path, _every_kind())
    known = {"service=storefront", "service=payments", "service=worker"}
    # Alerts of ours carry team and tier; hand-written ones may not.
    own = ["team=shop", "tier=standard" if "service=worker" in labels else "tier=critical"]

    answer = amtool(
        "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}",
        *labels, *(own if known & set(labels) else ()),
    )  # fmt: skip

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_generated_tests_of_the_routes_pass_and_a_wrong_one_fails(
    amtool: Run, route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    _write(tmp_path, _every_kind())
    program = str(installed(route)["amtool"].path)
    tests = tmp_path / "alerts" / "tests" / "routes.yml"

    passed = judges.routes(program, tests)
    assert len(passed) >= 9
    assert [result.output for result in passed if not result.passed] == []

    tests.write_text(
        tests.read_text(encoding="utf-8").replace("opsgenie-bank", "slack-shop"), encoding="utf-8"
    )
    assert [result.test for result in judges.routes(program, tests) if not result.passed] == [
        "a page of team shop, tier critical"
    ]


def test_without_receivers_the_configuration_is_valid_too(amtool: Run, tmp_path: Path) -> None:
    services = [replace(service, notify={}, routing=Routing()) for service in _services()]

    answer = amtool("check-config", _write(tmp_path, services))

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_what_needs_a_newer_alertmanager_is_refused_by_the_oldest(
    amtool: Run, route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    routing = Routing(alertmanager=(0, 28))
    services = [
        replace(service, links=Links(), notify=NEWER, routing=routing, downtimes=())
        for service in _services()
    ]

    answer = amtool("check-config", _write(tmp_path, services))

    newer = installed(route)["amtool"].version >= (0, 28)
    assert (answer.returncode == 0) is newer, answer.stdout + answer.stderr
