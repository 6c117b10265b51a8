"""docker-compose.yml against the table of servers, the pins, and what every container must be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.stack.compose.config import PORT_VARIABLES
from obs.stack.servers import SERVERS, SHOP
from obs.stack.table import ALERTMANAGER, COLLECTOR, GRAFANA, LOKI, PROMETHEUS, TEMPO

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def test_every_server_of_the_table_is_a_service() -> None:
    assert set(SERVICES) == {*SERVERS, *SHOP}


@each_service
def test_a_service_publishes_the_ports_of_the_table_on_loopback_only(name: str) -> None:
    ports = {
        f"127.0.0.1:${{{variable}:-{port.native}}}:{port.inside}"
        for port in {**SERVERS, **SHOP}[name].ports
        for variable in [PORT_VARIABLES.get((name, port.role))]
        if variable is not None and (port.published or name == "storefront")
    }
    assert set(SERVICES[name].get("ports", ())) == ports


@each_service
def test_what_a_service_mounts_is_known_to_the_table(name: str) -> None:
    known = {**SERVERS, **SHOP}[name].paths
    for volume in SERVICES[name].get("volumes", ()):
        target = re.sub(r"\$\{[^}]*\}", "X", volume).split(":")[1]
        inside = any(target == path or target.startswith(f"{path}/") for path in known)
        assert inside or target in ("/srv/runbooks", "/var/log/obs", "/var/lib/shop"), volume


@each_service
def test_a_service_is_hardened_bounded_and_probed(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["restart"] == "unless-stopped"
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert {"cpus", "memory", "pids"} == set(service["deploy"]["resources"]["limits"])
    assert {"max-size", "max-file"} == set(service["logging"]["options"])
    assert service["healthcheck"]["test"][0] == "CMD", "images without a shell run no CMD-SHELL"
    assert "privileged" not in service
    assert "network_mode" not in service


@each_service
def test_nothing_of_a_service_is_anonymous(name: str) -> None:
    service = SERVICES[name]
    for volume in service.get("volumes", ()):
        source = re.sub(r"\$\{[^}]*\}", "./X", volume).split(":")[0]
        assert source.startswith("./") or source in COMPOSE["volumes"], volume
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert re.fullmatch(r"[\w/-]+:(v?\d+\.\d+\.\d+|\$\{OBS_IMAGE_VERSION:-local\})", service["image"])


@each_service
def test_no_secret_is_a_variable(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    assert not [key for key in environment if re.search(r"PASSWORD|TOKEN|SECRET|KEY", key)]


@pytest.mark.parametrize(
    ("service", "image"),
    [
        ("prometheus", f"prom/prometheus:v{PROMETHEUS.release}"),
        ("alertmanager", f"prom/alertmanager:v{ALERTMANAGER.release}"),
        ("loki", f"grafana/loki:{LOKI.release}"),
        ("tempo", f"grafana/tempo:{TEMPO.release}"),
        ("grafana", f"grafana/grafana:{GRAFANA.release}"),
        ("collector", f"obs-kit/collector:{COLLECTOR.release}"),
    ],
)
def test_images_are_pinned_at_the_versions_of_the_table(service: str, image: str) -> None:
    assert SERVICES[service]["image"] == image


def test_the_collectors_image_is_built_at_the_version_of_the_table() -> None:
    text = (ROOT / "collector" / "Dockerfile").read_text()
    assert f"ARG VERSION={COLLECTOR.release}\n" in text


@pytest.mark.parametrize("path", ["collector/Dockerfile", "src/obs/stack/compose/images/Dockerfile"])
def test_bases_are_pinned_to_the_patch(path: str) -> None:
    text = (ROOT / path).read_text()
    bases = re.findall(r"^ARG \w+_IMAGE=(\S+)$", text, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+", base) for base in bases)
    assert all(
        line == "FROM scratch" or re.match(r"FROM (\$\{\w+\}|base)( AS \w+)?$", line)
        for line in re.findall(r"^FROM .*$", text, re.MULTILINE)
    )
    assert re.findall(r"^USER .*$", text, re.MULTILINE)[-1] == "USER 10001:10001"


@pytest.mark.parametrize("name", ["runbooks", "shop"])
def test_packages_of_our_images_are_those_that_the_tests_run_with(name: str) -> None:
    pinned = (ROOT / "src/obs/stack/compose/images" / f"{name}.txt").read_text()
    constraints = (ROOT / "constraints.txt").read_text()
    for requirement in re.findall(r"^[\w.-]+==\S+", pinned, re.MULTILINE):
        assert re.search(rf"^{re.escape(requirement)}\b", constraints, re.MULTILINE), requirement


def test_every_variable_is_told_in_the_example() -> None:
    files = ("docker-compose.yml", "docker-compose.tls.yml")
    used = {name for file in files for name in re.findall(r"\$\{(\w+)", (ROOT / file).read_text())}
    used |= {key for key, value in SERVICES["collector"]["environment"].items() if value is None}
    told = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used - told == {"OBS_PACKAGE_DIR", "OBS_IMAGE_VERSION"}
    assert told - used == {"COMPOSE_PROFILES"}
