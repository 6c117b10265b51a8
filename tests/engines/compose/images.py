"""Every image that docker-compose.yml names, made on this machine: no registry of images can be reached.

Those of other projects hold the engine that Go built, with the users, paths and entry points of the official ones. Ours
are built by their real Dockerfiles, on stand-ins of the bases that these name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.engines.compose.archive import RootFiles, load
from tests.engines.compose.engine import Docker

from obs.stack import bundle, cache, engines
from obs.stack.engine import Engine

HERE = Path(__file__).parent
NOBODY, PLAIN, GRAFANA = (65534, 65534), (10001, 10001), (472, 0)
_SHELL = ("sh", "wget", "mkdir", "chmod", "chown", "cp", "ln", "cat", "ls", "id")
_GO_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
    "GOTOOLCHAIN": "local",
}


def build(docker: Docker, project: Mapping[str, Any], work: Path) -> dict[str, str]:
    """Make every image of the resolved compose `project`; return service -> what is in it."""
    names = {service: str(entry["image"]) for service, entry in project["services"].items()}
    found = engines.install(
        ["prometheus", "promtool", "alertmanager", "amtool", "loki", "otelcol"], routes=["go"]
    )
    contents = _engines(docker, names, found, work)
    _collector_base(docker, found["otelcol"], work)
    _python_base(docker)
    return contents


def _engines(
    docker: Docker, names: Mapping[str, str], found: Mapping[str, Engine], work: Path
) -> dict[str, str]:
    _load_server(
        docker,
        names["prometheus"],
        {"/bin/prometheus": found["prometheus"].path, "/bin/promtool": found["promtool"].path},
        data="/prometheus",
        user=NOBODY,
        named="nobody",
        empty=("/etc/prometheus",),
    )
    _load_server(
        docker,
        names["alertmanager"],
        {"/bin/alertmanager": found["alertmanager"].path, "/bin/amtool": found["amtool"].path},
        data="/alertmanager",
        user=NOBODY,
        named="nobody",
        empty=("/etc/alertmanager",),
        # The official image holds the zones of the world.
        more={"/zoneinfo.zip": _zones()},
        environment={"ZONEINFO": "/zoneinfo.zip"},
    )
    _load_server(
        docker,
        names["loki"],
        {"/usr/bin/loki": found["loki"].path},
        data="/loki",
        user=PLAIN,
        named="10001",
        shell=False,
    )
    contents = {name: f"{name} {found[name].version}" for name in ("prometheus", "alertmanager", "loki")}
    standin = _go(HERE / "standin", "main.go", work / "standin")
    tempo = os.environ.get("OBS_TEMPO") or shutil.which("tempo")
    _load_server(
        docker,
        names["tempo"],
        {"/tempo": Path(tempo) if tempo else standin},
        data="/var/tempo",
        user=PLAIN,
        named="10001:10001",
        shell=False,
        environment={} if tempo else {"STANDIN_ADDRESS": "0.0.0.0:3200", "STANDIN_READY": "/ready"},
    )
    contents["tempo"] = "tempo" if tempo else "STAND-IN for Tempo: answers the health probe only"
    _load_server(
        docker,
        names["grafana"],
        {"/run.sh": standin},
        data="/var/lib/grafana",
        user=GRAFANA,
        named="472",
        empty=("/etc/grafana",),
        more={"/usr/bin/wget": standin},
        shell=False,
        environment={"STANDIN_ADDRESS": "0.0.0.0:3000", "STANDIN_READY": "/api/health"},
    )
    contents["grafana"] = "STAND-IN for Grafana: answers the health probe only"
    return contents


def _load_server(
    docker: Docker,
    image: str,
    programs: Mapping[str, Path],
    *,
    data: str,
    user: tuple[int, int],
    named: str,
    shell: bool = True,
    empty: Iterable[str] = (),
    more: Mapping[str, Path] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    files = RootFiles(
        files={**programs, **(more or {})},
        directories={data: (*user, 0o755), **dict.fromkeys(empty, (0, 0, 0o755))},
        texts={"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
    )
    if shell:
        _add_shell(files, docker)
    load(
        docker,
        image,
        files,
        [
            f"USER {named}",
            f'ENTRYPOINT ["{next(iter(programs))}"]',
            *(f"ENV {name}={value}" for name, value in (environment or {}).items()),
        ],
    )


def _add_shell(files: RootFiles, docker: Docker) -> None:
    files.files["/bin/busybox"] = docker.busybox
    files.links.update({f"/bin/{name}": "busybox" for name in _SHELL})


def _go(directory: Path, package: str, output: Path) -> Path:
    subprocess.run(
        ["go", "build", "-o", str(output), package],
        cwd=directory,
        env={**os.environ, **_GO_ENVIRONMENT, "GO111MODULE": "on"},
        check=True,
        timeout=300,
        capture_output=True,
    )
    return output


def _zones() -> Path:
    asked = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True, timeout=60)
    return Path(asked.stdout.strip()) / "lib" / "time" / "zoneinfo.zip"


def _collector_base(docker: Docker, collector: Engine, work: Path) -> None:
    """Load the base of collector/Dockerfile: a `go` that hands over what was built on this machine before."""
    text = bundle.path("collector", "Dockerfile").read_text(encoding="utf-8")
    probe = _go(bundle.path("tools", "collector"), "./probe", work / "probe")
    files = RootFiles(
        files={"/built/otelcol": collector.path, "/built/probe": probe},
        texts={
            "/etc/ssl/certs/ca-certificates.crt": "",
            "/bin/go": _HAND_OVER,
        },
    )
    _add_shell(files, docker)
    load(docker, _base(text, "GO_IMAGE"), files, [])


#: `go mod download` does nothing; `go build ... -o PATH PACKAGE` copies the program of that name.
_HAND_OVER = """#!/bin/sh
while [ $# -gt 1 ]; do
  if [ "$1" = -o ]; then mkdir -p "${2%/*}"; exec ln -s "/built/${2##*/}" "$2"; fi
  shift
done
"""


#: By its path: where an interpreter looks for packages differs, Debian's own looks into no site-packages.
_PIP = """import sys
sys.path.insert(0, "/usr/local/lib/pip")
from pip._internal.cli.main import main
sys.exit(main())
"""


def _python_base(docker: Docker) -> None:
    """Load the base of our Python images: this machine's interpreter, its libraries, and pip with the pinned wheels."""
    images = bundle.root() / "src" / "obs" / "stack" / "compose" / "images"
    wheels = _wheels([images / "runbooks.txt", images / "shop.txt"])
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    program = Path(sys.base_prefix) / "bin" / version
    library = Path(sysconfig.get_path("stdlib"))
    pip = find_spec("pip")
    assert pip is not None
    assert pip.origin is not None
    prefix = f"/usr/local/lib/{version}"
    files = RootFiles(
        files={f"/usr/local/bin/{version}": program},
        links={f"/usr/local/bin/{name}": version for name in ("python", "python3")},
        texts={
            "/usr/local/bin/pip": f"#!/usr/local/bin/{version}\n{_PIP}",
            "/etc/pip.conf": "[global]\nno-index = true\nfind-links = /wheels\n",
        },
        trees={
            prefix: (library, lambda path: not _LEFT_OUT.search(str(path.relative_to(library)))),
            "/usr/local/lib/pip/pip": (Path(pip.origin).parent, lambda _: True),
            "/wheels": (wheels, lambda _: True),
        },
    )
    extensions = [*(library / "lib-dynload").glob("*.so")]
    files.files.update({str(path): path for path in (*_libraries([program, *extensions]), *_compilers())})
    _add_shell(files, docker)
    text = (images / "Dockerfile").read_text(encoding="utf-8")
    load(
        docker,
        _base(text, "PYTHON_IMAGE"),
        files,
        ["ENV PATH=/usr/local/bin:/usr/bin:/bin", "ENV LD_LIBRARY_PATH=/usr/local/lib"],
    )


def _wheels(requirements: list[Path]) -> Path:
    """Return the directory of the pinned packages, kept for the next run."""
    known = hashlib.sha256(sys.version.encode() + b"".join(path.read_bytes() for path in requirements))
    place = cache.directory() / "wheels" / known.hexdigest()[:16]
    if not place.is_dir():
        with cache.workspace("wheels") as work:
            new = work / "new"
            subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                    *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest", str(new)),
                    *(part for path in requirements for part in ("--requirement", str(path))),
                ],
                check=True,
                timeout=600,
            )
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_dir():
                new.rename(place)
    return place


#: Tests, windows and what other people installed into this interpreter.
_LEFT_OUT = re.compile(
    r"\.opt-\d\.pyc$|(^|/)(test|tests|idlelib|tkinter|turtledemo|ensurepip|lib2to3|site-packages|dist-packages|config-[^/]*)(/|$)"
)


def _libraries(programs: Iterable[Path]) -> set[Path]:
    """Return every shared library that `programs` load."""
    found: set[Path] = set()
    for program in programs:
        listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
        found.update(Path(path) for path in re.findall(r"(/\S+) \(0x", listed))
    return {path for path in found if path.exists()}


def _compilers() -> list[Path]:
    """Return the libraries of the C and C++ compilers, which extension modules in wheels take for granted."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    return [
        Path(path)
        for path in re.findall(
            r"lib(?:gcc_s|rt|pthread|dl|m|util|stdc\+\+)\.so\.\d+ \(.*x86-64\) => (\S+)", listed
        )
    ]


def _base(dockerfile: str, argument: str) -> str:
    match = re.search(rf"^ARG {argument}=(\S+)$", dockerfile, re.MULTILINE)
    assert match is not None, f"no ARG {argument} in\n{dockerfile}"
    return match.group(1)
