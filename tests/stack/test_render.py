"""The base configuration is completed for the engines at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.errors import ConfigError
from obs.stack import render
from obs.stack.native import NativeConfig, Target
from obs.stack.ports import Endpoint
from obs.stack.version import Version

OLD, NEW = Version(2, 42), Version(3, 14)
PROMETHEUS = {"prometheus": Endpoint("prometheus", 9090)}
BOTH = {**PROMETHEUS, "alertmanager": Endpoint("alertmanager", 9093)}


def _config(config: NativeConfig, version: Version = NEW) -> dict[str, Any]:
    loaded = yaml.safe_load(render.prometheus_config(config, BOTH, version))
    assert isinstance(loaded, dict)
    return loaded


def test_an_old_engine_is_not_asked_for_what_it_does_not_know() -> None:
    assert "scrape_protocols" not in _config(NativeConfig(), OLD)["global"]
    assert render.prometheus_features(OLD) == ["exemplar-storage"]


def test_a_new_engine_prefers_openmetrics_and_counts_first_events() -> None:
    assert _config(NativeConfig())["global"]["scrape_protocols"][0] == "OpenMetricsText1.0.0"
    assert "created-timestamp-zero-ingestion" in render.prometheus_features(NEW)


def test_intervals_and_external_labels_are_taken() -> None:
    config = NativeConfig(
        scrape_interval="1s", evaluation_interval="2s", external_labels={"environment": "demo"}
    )
    settings = _config(config)["global"]
    assert settings["scrape_interval"] == "1s"
    assert settings["evaluation_interval"] == "2s"
    assert settings["external_labels"] == {"environment": "demo"}


@pytest.mark.parametrize(("interval", "timeout"), [("1s", "1s"), ("500ms", "500ms"), ("1m", "10s")])
def test_the_timeout_never_exceeds_the_interval(interval: str, timeout: str) -> None:
    assert _config(NativeConfig(scrape_interval=interval))["global"]["scrape_timeout"] == timeout


def test_alerts_go_to_the_alertmanager_of_the_stack() -> None:
    managers = _config(NativeConfig())["alerting"]["alertmanagers"]
    assert managers == [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]


def test_without_an_alertmanager_no_alert_is_sent() -> None:
    text = render.prometheus_config(NativeConfig(), PROMETHEUS, NEW)
    assert "alerting" not in yaml.safe_load(text)


def test_every_target_of_the_stack_has_an_identity() -> None:
    jobs = {job["job_name"]: job for job in _config(NativeConfig())["scrape_configs"]}
    assert set(jobs) == {"services", "prometheus", "alertmanager"}
    labels = jobs["alertmanager"]["static_configs"][0]["labels"]
    assert labels == {"service": "alertmanager", "environment": "local", "instance": "alertmanager"}
    assert not any(job.get("honor_labels") for job in jobs.values())


def test_targets_are_written_for_file_discovery() -> None:
    labels = {"service": "payments", "environment": "demo", "instance": "payments-0"}
    text = render.targets(NativeConfig(targets=[Target("127.0.0.1:8001", labels)]))
    assert json.loads(text) == [{"targets": ["127.0.0.1:8001"], "labels": labels}]


def test_directories_of_rules_are_expanded_in_order(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "notes.txt"):
        (tmp_path / name).touch()
    found = _config(NativeConfig(rules=[tmp_path]))["rule_files"]
    assert [Path(path).name for path in found] == ["a.yaml", "b.yml"]


def test_paths_are_taken_literally(tmp_path: Path) -> None:
    file = tmp_path / "odd[1]*.yml"
    file.touch()
    (found,) = _config(NativeConfig(rules=[file]))["rule_files"]
    assert found == f"{tmp_path}/odd\\[1\\]\\*.yml"


def test_a_missing_rule_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yml: no such rule file"):
        _config(NativeConfig(rules=[tmp_path / "nowhere.yml"]))


def test_a_directory_without_rules_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no rule files"):
        _config(NativeConfig(rules=[tmp_path]))


def test_a_missing_target_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nobody\.json: no such target file"):
        _config(NativeConfig(target_files=[tmp_path / "nobody.json"]))


@pytest.mark.parametrize("field", ["scrape_interval", "evaluation_interval"])
def test_an_interval_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(ConfigError, match="got 'often', expected a duration"):
        _config(NativeConfig(**{field: "often"}))  # type: ignore[arg-type]
