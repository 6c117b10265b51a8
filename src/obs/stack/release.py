"""How upstream projects publish their programs: where, under which names, with which checksums."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """Names of one project's release, with `{name}`, `{version}`, `{repository}`, `{os}`, `{arch}` to be filled in.

    Attributes:
        host: where it is, unless `OBS_RELEASE_URL` names a mirror.
        folder: the directory there.
        archive: the file; its end tells its kind: `.tar.gz`, `.zip`, else the program itself.
        sums: the file of SHA-256 checksums beside it: lines of sum and name, or one sum alone.
        program: the program inside, with `{program}`; `*` stands for one directory of any name.
        whole: everything in that directory belongs to the program and is kept with it.
    """

    host: str = "https://github.com"
    folder: str = "{repository}/releases/download/v{version}"
    archive: str = "{name}-{version}.{os}-{arch}.tar.gz"
    sums: str = "sha256sums.txt"
    program: str = "{name}-{version}.{os}-{arch}/{program}"
    whole: bool = False


#: As the projects of Prometheus do it.
USUAL = Release()

COLLECTOR = Release(
    archive="{name}_{version}_{os}_{arch}.tar.gz",
    sums="opentelemetry-collector-releases_{name}_checksums.txt",
    program="{name}",
)
LOKI = Release(archive="loki-{os}-{arch}.zip", sums="SHA256SUMS", program="loki-{os}-{arch}")
TEMPO = Release(archive="tempo_{version}_{os}_{arch}.tar.gz", sums="SHA256SUMS", program="{program}")
GRAFANA = Release(
    host="https://dl.grafana.com",
    folder="oss/release",
    archive="grafana-{version}.{os}-{arch}.tar.gz",
    sums="grafana-{version}.{os}-{arch}.tar.gz.sha256",
    program="*/bin/{program}",
    whole=True,
)
COMPOSE = Release(archive="docker-compose-{os}-{uname}", sums="checksums.txt", program="")
