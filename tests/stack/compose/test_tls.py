"""What the TLS overlay mounts, made of the committed configuration."""

from __future__ import annotations

import json
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from obs.stack import bundle, render, secret_files
from obs.stack.certs import authority
from obs.stack.certs.folder import Folder
from obs.stack.certs.renewal import Wanted, renew
from obs.stack.certs.subjects import subjects
from obs.stack.compose import tls
from obs.stack.compose.config import ComposeConfig
from obs.stack.servers import SERVERS, SHOP


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory after `up --tls`."""
    config = ComposeConfig(directory=tmp_path_factory.mktemp("state"), tls=True)
    secret_files.ensure(config.secrets)
    secret_files.web_config(config.secrets)
    tls.prepare(config.directory, config.secrets, os.getgid())
    return config.directory


def _read(made: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((made / "tls" / name).read_text())
    return document


def test_every_target_of_the_stack_is_asked_with_a_certificate(made: Path) -> None:
    document = _read(made, "prometheus.yml")
    secured = set()
    for job in document["scrape_configs"]:
        # Services beside the stack say it themselves, by `__scheme__` of their targets.
        assert (job.get("scheme") == "https") == ("static_configs" in job)
        assert job["tls_config"]["cert_file"] == "/etc/obs/certs/client.crt"
        secured |= {target for group in job.get("static_configs", ()) for target in group["targets"]}
    committed = render.load(bundle.path("stack", "prometheus", "prometheus.yml"))["scrape_configs"]
    assert secured == {
        target for job in committed for group in job.get("static_configs", ()) for target in group["targets"]
    }
    assert {target.partition(":")[0] for target in secured} == set(SERVERS)
    [alertmanager] = document["alerting"]["alertmanagers"]
    assert alertmanager["scheme"] == "https"


def test_nothing_speaks_plain_http_to_a_server_that_has_a_certificate(made: Path) -> None:
    for file in (made / "tls").glob("*.yml"):
        text = file.read_text()
        for server in SERVERS:
            assert f"http://{server}:" not in text, file.name


def test_servers_want_a_certificate_of_their_callers(made: Path) -> None:
    assert _read(made, "web.yml")["tls_server_config"]["client_auth_type"] == "RequireAndVerifyClientCert"
    assert "obs" in _read(made, "web.yml")["basic_auth_users"]
    for name in ("loki.yml", "tempo.yml"):
        document = _read(made, name)
        assert document["server"]["http_tls_config"]["client_auth_type"] == "RequireAndVerifyClientCert"
        # At their end the two listeners would wait for one another, until the container is killed.
        assert "internal_server" not in document
    receiver = _read(made, "tempo.yml")["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]
    assert receiver["tls"]["client_ca_file"] == "/etc/obs/certs/ca.crt"


def test_data_sources_keep_their_links_and_show_a_certificate(made: Path) -> None:
    sources = {one["uid"]: one for one in _read(made, "datasources.yml")["datasources"]}
    assert set(sources) == {"prometheus", "alertmanager", "loki", "tempo"}
    for source in sources.values():
        assert source["url"].startswith("https://")
        assert source["jsonData"]["tlsAuth"] is True
        assert source["secureJsonData"]["tlsClientKey"] == "$__file{/etc/obs/certs/client.key}"
    assert (
        sources["prometheus"]["secureJsonData"]["basicAuthPassword"] == "$__file{/run/secrets/web_password}"
    )
    assert sources["loki"]["jsonData"]["derivedFields"][0]["url"] == "$${__value.raw}"


def test_keys_are_for_the_group_alone_and_twice_changes_nothing(made: Path) -> None:
    files = sorted((made / "certs").iterdir())
    before = {file.name: file.read_bytes() for file in files}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files if file.suffix == ".key"} == {0o640}
    assert stat.S_IMODE((made / "tls").stat().st_mode) == 0o700
    tls.prepare(made, made / "secrets", os.getgid())
    assert {file.name: file.read_bytes() for file in files} == before


def test_the_end_of_every_certificate_is_watched_without_a_key(made: Path) -> None:
    place = Folder.of(made, os.getgid())
    wanted = Wanted(timedelta(days=365), timedelta(days=30))
    renew(place, subjects(services=["checkout"]), wanted, authority.now())
    (made / "tls" / "certs" / "gone.crt").write_text("")
    tls.prepare(made, made / "secrets", os.getgid())
    watched = {file.name: file.read_bytes() for file in (made / "tls" / "certs").iterdir()}
    assert set(watched) == {f"{name}.crt" for name in (*SERVERS, *SHOP, "checkout", "client", "ca")}
    assert all((made / "certs" / name).read_bytes() == text for name, text in watched.items())


def test_the_variables_of_the_overlay_are_told(tmp_path: Path) -> None:
    variables = ComposeConfig(directory=tmp_path, tls=True, ports={"grafana": 13000}).variables()
    assert variables["OBS_SCHEME"] == "https"
    assert variables["OBS_CERTS_GROUP"] == str(os.getgid() or 10001)
    assert ComposeConfig(directory=tmp_path).places()["OBS_TLS_DIR"] == str(tmp_path / "tls")
