"""What each server of the full stack is started with; nothing is started here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs.stack import engines, render, secret_files
from obs.stack.engine import Engine
from obs.stack.launches import collector as collector_launch
from obs.stack.launches import plan as planning
from obs.stack.launches.alertmanager import alertmanager
from obs.stack.launches.collector import _servers_away
from obs.stack.launches.grafana import grafana
from obs.stack.launches.loki import loki
from obs.stack.launches.prometheus import prometheus
from obs.stack.launches.rules import rules
from obs.stack.launches.runbooks import runbooks
from obs.stack.launches.setup import Setup
from obs.stack.launches.tempo import tempo
from obs.stack.localise import Site
from obs.stack.native import NativeConfig
from obs.stack.ports import numbers
from obs.stack.servers import FULL, START_ORDER
from obs.stack.version import Version

HERE = ("prometheus", "alertmanager", "loki", "collector", "runbooks")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def setup(tmp_path: Path, programs: Path) -> Setup:
    names = ("prometheus", "promtool", "alertmanager", "amtool", "loki", "otelcol", "tempo", "grafana")
    found = {name: Engine(name, programs / name, Version(99, 1), "path") for name in names}
    config = NativeConfig(directory=tmp_path / "stack", servers=FULL)
    return Setup(config, HERE, Site(tmp_path / "stack", numbers()), found)


def _scraped(setup: Setup) -> set[str]:
    document = yaml.safe_load(prometheus(setup).files["prometheus.yml"])
    groups = [group for job in document["scrape_configs"] for group in job.get("static_configs", ())]
    return {group["labels"]["service"] for group in groups}


def test_only_servers_that_run_here_are_scraped_and_judged(setup: Setup) -> None:
    assert _scraped(setup) <= set(HERE)
    assert _scraped(replace(setup, servers=FULL)) >= {"tempo"}
    written = [name for name in prometheus(setup).files if name.startswith("rules/")]
    stems = {Path(name).stem.partition("-")[0] for name in written}
    assert stems == {"fleet", "prometheus", "alertmanager", "loki", "collector", "runbooks"}


def test_prometheus_asks_for_a_password_and_takes_what_jobs_push(setup: Setup) -> None:
    launch = prometheus(setup)
    assert f"--web.config.file={setup.secrets / 'web.yml'}" in launch.argv
    assert "--web.enable-otlp-receiver" in launch.argv
    assert any("created-timestamp-zero-ingestion" in part for part in launch.argv)
    assert launch.login == ("obs", setup.secrets / "web_password")
    password = {"username": "obs", "password_file": str(setup.secrets / "web_password")}
    document = yaml.safe_load(launch.files["prometheus.yml"])
    assert document["alerting"]["alertmanagers"][0]["basic_auth"] == password


def test_given_rules_stand_beside_those_about_the_stack_or_in_their_place(
    setup: Setup, tmp_path: Path
) -> None:
    mine, yours = tmp_path / "a" / "loki.yml", tmp_path / "b" / "checkout.yaml"
    second = tmp_path / "c" / "checkout.yml"
    for file in (mine, yours, second):
        file.parent.mkdir()
        file.touch()
    found = rules(setup, "prometheus", [mine, yours, second])
    assert found.given == {"loki.yml": mine, "checkout.yml": yours, "checkout-2.yml": second}
    assert "fleet.yml" in found.shipped
    assert "loki.yml" not in found.shipped


def test_links_of_what_ships_lead_to_this_stack(setup: Setup) -> None:
    text = rules(setup, "prometheus", []).shipped["loki.yml"]
    assert 'runbook_url: "http://127.0.0.1:8705/runbooks/loki/' in text
    assert "runbooks.shop.example" not in text
    # Nothing is at home there.
    assert "https://grafana.shop.example/" in text


def test_targets_and_intervals_of_the_user_come_beside_the_committed_ones(
    setup: Setup, tmp_path: Path
) -> None:
    targets = tmp_path / "odd[1].json"
    targets.write_text("[]")
    setup = replace(setup, config=replace(setup.config, target_files=[targets], scrape_interval="1s"))
    document = yaml.safe_load(prometheus(setup).files["prometheus.yml"])
    assert document["global"]["scrape_interval"] == document["global"]["scrape_timeout"] == "1s"
    files = document["scrape_configs"][0]["file_sd_configs"][0]["files"]
    assert files == [f"{setup.directory('prometheus')}/targets/*.json", f"{tmp_path}/odd\\[1\\].json"]


def _routes(setup: Setup, tmp_path: Path, text: str) -> Any:
    given = tmp_path / "mine" / "alertmanager.yml"
    given.parent.mkdir(exist_ok=True)
    given.write_text(text)
    return alertmanager(replace(setup, config=replace(setup.config, alertmanager_config=given)))


def test_without_a_configuration_alerts_are_shown_and_nobody_is_notified(setup: Setup) -> None:
    launch = alertmanager(setup)
    assert yaml.safe_load(launch.files["alertmanager.yml"])["receivers"] == [{"name": "page-only"}]
    assert launch.note == "notifies nobody: no --alertmanager-config was given"


def test_a_configuration_whose_secret_is_missing_is_not_used_and_that_is_said(
    setup: Setup, tmp_path: Path
) -> None:
    text = "receivers: [{name: x, pagerduty_configs: [{routing_key_file: /run/secrets/pagerduty_key}]}]\n"
    launch = _routes(setup, tmp_path, text)
    assert yaml.safe_load(launch.files["alertmanager.yml"])["receivers"] == [{"name": "page-only"}]
    assert launch.note == f"notifies nobody: alertmanager.yml wants pagerduty_key in {setup.secrets}"


def test_with_its_secrets_there_a_configuration_finds_them_and_its_templates(
    setup: Setup, tmp_path: Path
) -> None:
    setup.secrets.mkdir(parents=True)
    (setup.secrets / "pagerduty_key").write_text("key")
    (tmp_path / "mine" / "templates").mkdir(parents=True)
    launch = _routes(setup, tmp_path, "routing_key_file: /run/secrets/pagerduty_key\n")
    assert launch.files["alertmanager.yml"].endswith(f"routing_key_file: {setup.secrets}/pagerduty_key\n")
    assert launch.links["templates"] == tmp_path / "mine" / "templates"
    assert launch.note == ""


def test_a_configuration_without_paths_of_containers_is_used_in_place(setup: Setup, tmp_path: Path) -> None:
    launch = _routes(setup, tmp_path, "templates: [templates/obs.tmpl]\n")
    assert f"--config.file={tmp_path / 'mine' / 'alertmanager.yml'}" in launch.argv
    assert launch.files == {}


def test_the_collector_sends_nothing_to_who_does_not_run_here(setup: Setup) -> None:
    assert _servers_away(setup) == ["tempo", "grafana"]
    overlay = yaml.safe_load(render.collector_without(["tempo"]))
    assert overlay["service"]["pipelines"] == {"traces/sampled": {"exporters": ["debug"]}}
    assert render.collector_without(["grafana"]) == ""


@pytest.mark.parametrize("name", ["service_graph", "servicegraph", "span_metrics"])
def test_the_service_graph_is_merged_in_where_the_binary_has_it(
    setup: Setup, make_program: Callable[[Path, str], Path], name: str
) -> None:
    make_program(setup.found["otelcol"].path, f"import sys\nprint({name!r} * ('components' in sys.argv))")
    launch = collector_launch.collector(setup)
    merged = f"--config={launch.directory / 'service-graph.yml'}"
    assert (merged in launch.argv) == ("service-graph.yml" in launch.files) == (name != "span_metrics")
    assert launch.check is not None
    assert [part for part in launch.check.argv if "--config" in part] == list(launch.argv[2:])


def test_a_server_of_somebody_else_on_a_chosen_port_gets_what_is_its(setup: Setup) -> None:
    config = replace(setup.config, servers=HERE, ports={"tempo.otlp_grpc": 24317})
    assert _servers_away(replace(setup, config=config)) == ["grafana"]


def test_loki_and_tempo_are_judged_by_themselves_and_keep_their_data_below(setup: Setup) -> None:
    for launch in (loki(setup), tempo(setup)):
        (text,) = launch.files.values()
        assert f"{launch.directory}/data" in text
        assert launch.check is not None
        assert launch.check.argv[0] == launch.argv[0]


def test_grafana_reads_its_files_and_none_of_the_users_settings(
    setup: Setup, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (programs / "conf").mkdir()
    (programs / "conf" / "defaults.ini").touch()
    monkeypatch.setenv("GF_AUTH_ANONYMOUS_ENABLED", "true")
    launch = grafana(setup)
    assert f"--homepath={programs}" in launch.argv
    assert launch.environment is not None
    assert {name for name in launch.environment if name.startswith("GF_")} == {
        "GF_PATHS_LOGS",
        "GF_PATHS_PLUGINS",
    }
    assert launch.links == {"dashboards": ROOT / "dashboards"}
    assert f"$__file{{{setup.secrets}/grafana_admin_password}}" in launch.files["grafana.ini"]
    assert set(launch.files) > {"provisioning/datasources/obs.yml", "provisioning/dashboards/obs.yml"}


def test_the_runbooks_are_those_that_were_given(setup: Setup, tmp_path: Path) -> None:
    assert str(ROOT / "runbooks") in runbooks(setup).argv
    given = replace(setup, config=replace(setup.config, runbooks=tmp_path))
    assert str(tmp_path) in runbooks(given).argv


@pytest.mark.parametrize("make", [prometheus, alertmanager, loki, tempo, runbooks])
def test_nothing_listens_beyond_loopback(setup: Setup, make: Callable[[Setup], Any]) -> None:
    launch = make(setup)
    assert not any("0.0.0.0" in part for part in (*launch.argv, *launch.files.values()))  # noqa: S104


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(servers=st.sets(st.sampled_from(FULL), min_size=1))
def test_any_choice_of_servers_has_a_plan(
    tmp_path: Path, programs: Path, setup: Setup, servers: set[str]
) -> None:
    (programs / "conf").mkdir(exist_ok=True)
    (programs / "conf" / "defaults.ini").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "install", lambda names, **_: {name: setup.found[name] for name in names})
        patch.setattr(engines, "find", lambda name, *_: setup.found[name])
        patch.setattr(secret_files, "web_config", lambda _: "")
        patch.setattr(collector_launch, "_has_service_graph", lambda _: False)
        planned = planning.plan(NativeConfig(directory=tmp_path / "stack", servers=tuple(servers)), {}, None)
    assert [launch.name for launch in planned.launches] == [name for name in START_ORDER if name in servers]
