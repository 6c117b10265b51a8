"""What the containers evaluate and scrape: rules and targets of who runs, with links that lead to this stack."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.stack.compose.conftest import FakeDocker
from tests.stack.compose.test_driver import READY

from obs.stack import bundle
from obs.stack.compose import driver, evaluated
from obs.stack.compose.config import ComposeConfig
from obs.stack.servers import SHOP

HERE = {"grafana": "http://127.0.0.1:13000"}


def _names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def _about_the_shop(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(("shop", *SHOP))}


@pytest.mark.parametrize("engine", ["prometheus", "loki"])
def test_rules_about_a_shop_that_does_not_run_are_left_out(tmp_path: Path, engine: str) -> None:
    evaluated.prepare(tmp_path, HERE, shop=False)
    shipped = {file.name for file in bundle.path("alerts", engine).glob("*.yml")}
    assert _about_the_shop(shipped)
    assert _names(tmp_path / "rules" / engine) == shipped - _about_the_shop(shipped)
    assert _names(tmp_path / "targets") == set()


def test_they_come_with_the_shop_and_go_with_it(tmp_path: Path) -> None:
    assert evaluated.prepare(tmp_path, HERE, shop=True)
    shipped = {file.name for file in bundle.path("alerts", "prometheus").glob("*.yml")}
    assert _names(tmp_path / "rules" / "prometheus") == shipped
    assert _names(tmp_path / "targets") == {"shop.json"}
    assert not evaluated.prepare(tmp_path, HERE, shop=True)
    assert evaluated.prepare(tmp_path, HERE, shop=False)
    assert not _about_the_shop(_names(tmp_path / "rules" / "prometheus"))
    assert _names(tmp_path / "targets") == set()


def test_under_tls_the_shop_is_scraped_with_it(tmp_path: Path) -> None:
    file = tmp_path / "targets" / "shop.json"
    for tls in (True, False):
        evaluated.prepare(tmp_path, HERE, shop=True, tls=tls)
        schemes = {group["labels"].get("__scheme__", "http") for group in json.loads(file.read_text())}
        assert schemes == {"https" if tls else "http"}


def test_files_of_the_user_beside_them_stay(tmp_path: Path) -> None:
    own = [tmp_path / "rules" / "prometheus" / "checkout.yml", tmp_path / "targets" / "checkout.json"]
    for file in own:
        file.parent.mkdir(parents=True)
        file.write_text("mine")
    evaluated.prepare(tmp_path, HERE, shop=True)
    evaluated.prepare(tmp_path, HERE, shop=False)
    assert [file.read_text() for file in own] == ["mine", "mine"]


def test_links_lead_to_the_servers_of_this_stack(tmp_path: Path) -> None:
    evaluated.prepare(tmp_path, HERE, shop=False)
    text = (tmp_path / "rules" / "prometheus" / "loki.yml").read_text()
    assert "http://127.0.0.1:13000/d/obs-loki" in text
    assert "https://grafana.shop.example" not in text


def test_people_open_what_the_compose_file_says() -> None:
    project = {
        "x-addresses": {"runbooks": "http://127.0.0.1:18705", "grafana": "https://boards.example.com/"}
    }
    assert evaluated.addresses(project) == {
        "runbooks": "http://127.0.0.1:18705",
        "grafana": "https://boards.example.com",
    }


def test_every_user_may_read_them_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        evaluated.prepare(tmp_path, HERE, shop=True)
    finally:
        os.umask(before)
    folder = tmp_path / "rules" / "prometheus"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o644}


def test_a_running_prometheus_reads_rules_again_only_when_they_changed(
    docker: FakeDocker, tmp_path: Path
) -> None:
    config = ComposeConfig(directory=tmp_path / "state")
    docker.answers("ps", f'{{"Service": "prometheus", "State": "running", "Image": "{READY["Image"]}"}}')
    driver.up(config)
    told = [call for call in docker.asked() if call.endswith("kill --signal HUP prometheus")]
    assert len(told) == 1
    driver.up(config)
    assert [call for call in docker.asked() if call.endswith("kill --signal HUP prometheus")] == told


def test_a_shop_that_runs_keeps_its_rules_when_nobody_names_it(docker: FakeDocker, tmp_path: Path) -> None:
    config = ComposeConfig(directory=tmp_path / "state")
    docker.answers("ps", '{"Service": "worker", "State": "running"}')
    driver.up(config)
    assert "worker.yml" in _names(config.directory / "rules" / "prometheus")


def test_a_place_that_the_user_names_goes_before_ours(docker: FakeDocker, tmp_path: Path) -> None:
    config = ComposeConfig(directory=tmp_path / "state")
    driver.up(config)
    assert "OBS_RULES_DIR=" in config.places_file.read_text()
    assert "OBS_RULES_DIR=" not in config.environment_file.read_text()
    [up] = [call for call in docker.asked() if " up " in call]
    assert up.index(str(config.places_file)) < up.index(str(config.environment_file))
