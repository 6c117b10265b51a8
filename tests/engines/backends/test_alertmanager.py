"""Alertmanager with the generated configuration, behind the password of the stack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.engines.waiting import await_

if TYPE_CHECKING:
    from tests.engines.backends.running import Backends

pytestmark = pytest.mark.engines

ALERTS = Path(__file__).parents[3] / "alerts"


def test_it_runs_the_generated_configuration_with_its_template(backends: Backends) -> None:
    status = backends.json("alertmanager", "/api/v2/status")
    running = yaml.safe_load(status["config"]["original"])
    generated = yaml.safe_load((ALERTS / "alertmanager.yml").read_text(encoding="utf-8"))

    assert [receiver["name"] for receiver in running["receivers"]] == [
        receiver["name"] for receiver in generated["receivers"]
    ]
    assert len(running["inhibit_rules"]) == len(generated["inhibit_rules"])
    # A template that is not there is no error, so its name is looked up.
    (pattern,) = running["templates"]
    assert Path(pattern).is_relative_to(backends.directory("alertmanager"))
    assert Path(pattern).is_file()
    assert status["cluster"]["status"] == "disabled"


def test_every_page_asks_for_the_password_the_probe_included(backends: Backends) -> None:
    for path in ("/-/ready", "/api/v2/alerts", "/metrics"):
        refused, _ = backends.ask(backends.url("alertmanager") + path, login=False)
        taken, _ = backends.ask(backends.url("alertmanager") + path)

        assert (refused, taken) == (401, 200), path


def test_the_watchdog_of_prometheus_arrives_at_the_receiver_of_the_heartbeat(backends: Backends) -> None:
    # Not by what Prometheus says that it has sent: after a restart that is of the time before.
    (watchdog,) = await_(
        lambda: backends.json("alertmanager", "/api/v2/alerts", filter='alertname="Watchdog"'),
        "the watchdog arrives",
        instead=lambda: backends.query("ALERTS"),
    )

    assert [receiver["name"] for receiver in watchdog["receivers"]] == ["webhook-shop-heartbeat"]
    assert watchdog["labels"].items() >= {"service": "fleet", "environment": "all"}.items()


def test_no_secret_is_told_by_configuration_or_log_of_a_server(backends: Backends) -> None:
    secrets = [
        file.read_text(encoding="utf-8") for file in backends.secrets.iterdir() if file.suffix != ".yml"
    ]
    told = [backends.log(name) for name in backends.running]
    told.append(json.dumps(backends.json("prometheus", "/api/v1/status/config")))
    told.append(json.dumps(backends.json("alertmanager", "/api/v2/status")))
    told.append(backends.ask(backends.url("loki") + "/config")[1].decode())

    assert len(secrets) >= 3
    assert [text for secret in secrets for text in told if re.search(re.escape(secret), text)] == []
