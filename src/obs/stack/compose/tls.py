"""The configuration under TLS: the committed files, with https and certificates on every hop.

Nothing is written twice: what docker-compose.tls.yml mounts in the place of a committed file is made of that file, as
JSON, which every reader of YAML reads. Flags and variables, where a server has them, stand in the overlay itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from obs.errors import StackError
from obs.stack import bundle, render
from obs.stack.certs.authority import now
from obs.stack.certs.folder import Folder
from obs.stack.certs.inspection import CA
from obs.stack.certs.renewal import Wanted, renew
from obs.stack.certs.subjects import served, subjects
from obs.stack.servers import SHOP
from obs.stack.whole import write_whole

#: Where every container finds the authority, its own pair if it serves, and the clients' pair if it calls.
CERTIFICATES = "/etc/obs/certs"

_LIFETIME, _RENEWED_BEFORE = timedelta(days=365), timedelta(days=30)
_CLIENT: Mapping[str, str] = MappingProxyType(
    {
        "ca_file": f"{CERTIFICATES}/ca.crt",
        "cert_file": f"{CERTIFICATES}/client.crt",
        "key_file": f"{CERTIFICATES}/client.key",
    }
)
_SERVER: Mapping[str, str] = MappingProxyType(
    {
        "cert_file": f"{CERTIFICATES}/server.crt",
        "key_file": f"{CERTIFICATES}/server.key",
        "client_ca_file": f"{CERTIFICATES}/ca.crt",
    }
)
#: In the words of Prometheus' library and of Loki's and Tempo's.
_ASKING: Mapping[str, str] = MappingProxyType({**_SERVER, "client_auth_type": "RequireAndVerifyClientCert"})


def prepare(directory: Path, secrets: Path, group: int) -> None:
    """Make what certificates are missing or end soon below `directory`, and the configuration that names them.

    `group` may read the keys; `secrets` holds the login that the servers ask for beside a certificate.

    Raises:
        StackError: a file cannot be read or written, or a certificate there is not ours to replace.
    """
    place = Folder.of(directory, group)
    everybody = subjects(services=[*SHOP, *served(place)])
    renew(place, everybody, Wanted(_LIFETIME, _RENEWED_BEFORE), now())
    folder = directory / "tls"
    login = render.load(secrets / "web.yml")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, (source, change) in _CHANGES.items():
            _write(folder / name, change(render.load(bundle.path(*source.split("/")))))
        _write(folder / "web.yml", _login(login))
        _show(place, [CA, *everybody], folder / "certs")
    except OSError as error:
        raise StackError(
            f"cannot write the configuration: {error.strerror}", where=str(error.filename)
        ) from None


def _write(file: Path, document: Mapping[str, Any]) -> None:
    # A new file each time: a server that runs keeps the one it was started with.
    write_whole(file, json.dumps(document, indent=2) + "\n", mode=0o444)


def _show(place: Folder, names: Iterable[str], directory: Path) -> None:
    """Lay certificates without their keys where the runbook service looks for their ends, and take others away."""
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    shown = {place.certificate_path(name).name: place.certificate_path(name) for name in names}
    for name, file in shown.items():
        write_whole(directory / name, file.read_text(encoding="ascii"), mode=0o444)
    for file in directory.iterdir():
        if file.name not in shown:
            file.unlink()


def _login(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "tls_server_config": {**_ASKING, "min_version": "TLS12"}}


def _prometheus(document: dict[str, Any]) -> dict[str, Any]:
    for caller in (*document["alerting"]["alertmanagers"], *document["scrape_configs"]):
        caller["tls_config"] = dict(_CLIENT)
        # Your services say it themselves, each group of targets by `__scheme__`.
        if "static_configs" in caller:
            caller["scheme"] = "https"
    return document


def _probe(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "tls_config": dict(_CLIENT)}


def _tempo(document: dict[str, Any]) -> dict[str, Any]:
    document["server"]["http_tls_config"] = dict(_ASKING)
    document["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["tls"] = dict(_SERVER)
    return document


def _loki(document: dict[str, Any]) -> dict[str, Any]:
    document["server"]["http_tls_config"] = dict(_ASKING)
    ruler = document["ruler"]
    ruler["alertmanager_url"] = ruler["alertmanager_url"].replace("http://", "https://")
    ruler.setdefault("alertmanager_client", {}).update(
        tls_ca_path=_CLIENT["ca_file"], tls_cert_path=_CLIENT["cert_file"], tls_key_path=_CLIENT["key_file"]
    )
    return document


def _data_sources(document: dict[str, Any]) -> dict[str, Any]:
    for source in document["datasources"]:
        source["url"] = source["url"].replace("http://", "https://")
        source.setdefault("jsonData", {}).update(
            tlsAuth=True, tlsAuthWithCACert=True, serverName=source["uid"]
        )
        source.setdefault("secureJsonData", {}).update(
            tlsCACert=f"$__file{{{_CLIENT['ca_file']}}}",
            tlsClientCert=f"$__file{{{_CLIENT['cert_file']}}}",
            tlsClientKey=f"$__file{{{_CLIENT['key_file']}}}",
        )
    return document


_Change = Callable[[dict[str, Any]], dict[str, Any]]

#: File below `tls/` -> the committed file that it is made of, and how.
_CHANGES: Mapping[str, tuple[str, _Change]] = MappingProxyType(
    {
        "prometheus.yml": ("stack/prometheus/prometheus.yml", _prometheus),
        "probe.yml": ("stack/probe.yml", _probe),
        "loki.yml": ("stack/loki/loki.yml", _loki),
        "tempo.yml": ("stack/tempo/tempo.yml", _tempo),
        "datasources.yml": ("stack/grafana/provisioning/datasources/obs.yml", _data_sources),
    }
)
