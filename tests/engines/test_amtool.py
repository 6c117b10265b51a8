"""The generated Alertmanager configuration, judged by the oldest and the newest amtool."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from obs.generate.model import Links, Service, Severity
from obs.generate.render.alertmanager import render
from obs.generate.spec.load import load
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

SPECS = Path(__file__).parents[2] / "specs" / "shop"
#: Every kind of receiver, as specs name them.
NOTIFY: dict[Severity, str] = {"page": "pagerduty-shop", "ticket": "slack-shop", "none": "webhook-heartbeat"}
OTHER: dict[Severity, str] = {"page": "opsgenie-bank", "ticket": "slack-bank"}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _services(environment: str | None = None) -> list[Service]:
    return load([SPECS], environment=environment)


def _every_kind() -> list[Service]:
    first, *rest = (replace(service, links=Links(webhook="http://127.0.0.1:9/")) for service in _services())
    return [replace(first, notify=OTHER), *(replace(service, notify=NOTIFY) for service in rest)]


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
    path = folder / "alertmanager.yml"
    path.write_text(render(services).text, encoding="utf-8")
    return str(path)


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
        ("nobody", ["alertname=Any", "service=payments", "severity=none"]),
        ("webhook-heartbeat", ["alertname=Any", "service=worker", "severity=none"]),
        ("opsgenie-bank", ["alertname=HttpErrorRatioHigh", "service=payments", "severity=page"]),
        ("slack-bank", ["alertname=JobFailureRatioHigh", "service=payments", "severity=ticket"]),
        ("webhook-heartbeat", ["alertname=Watchdog", "service=fleet", "severity=none"]),
        ("webhook-heartbeat", ["alertname=Watchdog", "service=payments", "severity=page"]),
        ("slack-shop", ["alertname=Unknown", "service=stranger", "severity=page"]),
        ("slack-shop", ["alertname=Unknown"]),
        ("slack-shop", ["alertname=Unknown", "service=worker", "severity=odd"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_an_alert_reaches_its_receiver(amtool: Run, tmp_path: Path, receiver: str, labels: list[str]) -> None:
    config = _write(tmp_path, _every_kind())

    answer = amtool(
        "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}", *labels
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_route_test_can_fail(amtool: Run, tmp_path: Path) -> None:
    config = _write(tmp_path, _every_kind())

    answer = amtool(
        "config", "routes", "test", f"--config.file={config}", "--verify.receivers=slack-bank",
        "service=payments", "severity=page",
    )  # fmt: skip

    assert answer.returncode != 0


def test_without_receivers_the_configuration_is_valid_too(amtool: Run, tmp_path: Path) -> None:
    services = [replace(service, notify={}) for service in _services()]

    answer = amtool("check-config", _write(tmp_path, services))

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_webhook_address_in_a_file_needs_alertmanager_0_26(
    amtool: Run, route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    services = [replace(service, links=Links(), notify={"page": "webhook-x"}) for service in _services()]

    answer = amtool("check-config", _write(tmp_path, services))

    newer = installed(route)["amtool"].version >= (0, 26)
    assert (answer.returncode == 0) is newer, answer.stdout + answer.stderr
