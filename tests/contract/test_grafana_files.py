"""What Grafana of the stack is given: nobody unknown gets in, and what ships is read-only."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
HERE = ROOT / "stack" / "grafana"
SERVICE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
SETTINGS = configparser.ConfigParser(interpolation=None)
SETTINGS.read(HERE / "grafana.ini")
#: Place in the container -> place here.
MOUNTED = {
    target: ROOT / re.sub(r"\$\{\w+:-(.*?)\}", r"\1", source)
    for source, target in (
        re.fullmatch(r"(.+?):(/etc/grafana[^:]*):ro", volume).groups()  # type: ignore[union-attr]
        for volume in SERVICE["volumes"]
        if ":/etc/grafana" in volume
    )
}


def _here(path: str) -> Path:
    """Return what a path inside the container is here."""
    [target] = [target for target in MOUNTED if path == target or path.startswith(f"{target}/")]
    return MOUNTED[target] / path.removeprefix(target).lstrip("/")


def test_nobody_gets_in_without_a_password_and_that_comes_from_a_file() -> None:
    assert SETTINGS.getboolean("auth.anonymous", "enabled") is False
    assert SETTINGS.getboolean("users", "allow_sign_up") is False
    assert SETTINGS["security"]["admin_password"] == "$__file{/run/secrets/grafana_admin_password}"  # noqa: S105 - where it is
    sources = (HERE / "provisioning/datasources/obs.yml").read_text()
    assert set(re.findall(r"[pP]assword: (.*)", sources)) == {"$__file{/run/secrets/web_password}"}
    assert {"grafana_admin_password", "web_password"} == set(SERVICE["secrets"])


def test_it_asks_the_internet_for_nothing() -> None:
    assert SETTINGS.getboolean("plugins", "preinstall_auto_update") is False
    assert SETTINGS.getboolean("plugins", "preinstall_disabled") is True
    assert not any(SETTINGS.getboolean("analytics", key) for key in SETTINGS["analytics"])


def test_dashboards_and_data_sources_are_read_only_and_dashboards_in_folders() -> None:
    [provider] = yaml.safe_load((HERE / "provisioning/dashboards/obs.yml").read_text())["providers"]
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["foldersFromFilesStructure"] is True
    pages = list(_here(provider["options"]["path"]).rglob("*.json"))
    assert pages
    assert all(page.parent.parent == _here(provider["options"]["path"]) for page in pages)
    sources = yaml.safe_load((HERE / "provisioning/datasources/obs.yml").read_text())["datasources"]
    assert [one["editable"] for one in sources] == [False] * 4


def test_the_first_page_lists_the_alerts_that_fire() -> None:
    home = json.loads(_here(SETTINGS["dashboards"]["default_home_dashboard_path"]).read_text())
    assert "alertlist" in {panel["type"] for panel in home["panels"]}
