"""The release download, against a web server on this machine."""

from __future__ import annotations

import hashlib
import io
import os
import resource
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from obs.errors import ConfigError, StackError
from obs.stack import engines
from obs.stack.engine import Engine
from obs.stack.home import release_url
from obs.stack.progress import Progress
from obs.stack.routes import download
from obs.stack.table import PROMETHEUS, facts_of, machine

NAME = f"prometheus-{PROMETHEUS.release}.{machine()}"
RELEASE = f"/{PROMETHEUS.repository}/releases/download/v{PROMETHEUS.release}"
SUMS = f"{RELEASE}/sha256sums.txt"
ARCHIVE = f"{RELEASE}/{NAME}.tar.gz"


def _archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o755 if "/bin/" in name else 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _script(name: str, version: str = "3.14.0") -> bytes:
    return (
        f"#!/bin/sh\necho '{name}, version {version} (branch: x)'\n# ".encode()
        + os.urandom(200_000).hex().encode()
    )


class Host:
    """A release host: what it answers is in `pages`; `cut` sends that many bytes of the archive only."""

    def __init__(self) -> None:
        self.archive = _archive({f"{NAME}/{name}": _script(name) for name in ("prometheus", "promtool")})
        self.sums = f"{hashlib.sha256(self.archive).hexdigest()}  {NAME}.tar.gz\n"
        self.others: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []
        self.cut: int | None = None
        self.release = threading.Event()
        self.release.set()

    def page(self, path: str) -> bytes | None:
        return {SUMS: self.sums.encode(), ARCHIVE: self.archive, **self.others}.get(path)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, programs: Path) -> Iterator[Host]:
    host = Host()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            page = host.page(self.path)
            if self.path in host.redirects:
                self.send_response(302)
                self.send_header("Location", host.redirects[self.path])
                self.end_headers()
                return
            if page is None:
                self.send_response(404)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            middle = len(page) // 2
            self.wfile.write(page[:middle])
            self.wfile.flush()
            host.release.wait(30)
            self.wfile.write(page[middle : None if host.cut is None else host.cut])

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OBS_RELEASE_URL", f"http://127.0.0.1:{server.server_port}")
    yield host
    host.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


def _install() -> dict[str, Engine]:
    return engines.install(["prometheus", "promtool"], routes=["download"])


def _nothing_is_left(home: Path) -> bool:
    return [path.name for path in (home / "engines").iterdir()] == [".lock-download"]


def test_a_verified_release_is_installed(host: Host) -> None:
    found = _install()
    assert {name: (str(one.version), one.route) for name, one in found.items()} == {
        "prometheus": ("3.14.0", "download"),
        "promtool": ("3.14.0", "download"),
    }
    assert host.asked == [SUMS, ARCHIVE]
    assert _install() == found
    assert len(host.asked) == 2


def test_bytes_are_told_while_they_come(host: Host, until: Callable[[Callable[[], bool]], None]) -> None:
    seen: list[Progress] = []
    host.release.clear()
    host.archive = _archive(
        {
            f"{NAME}/{name}": _script(name) + os.urandom(1 << 20).hex().encode()
            for name in ("prometheus", "promtool")
        }
    )
    host.sums = f"{hashlib.sha256(host.archive).hexdigest()}  {NAME}.tar.gz\n"
    host.release.set()
    engines.install(["prometheus"], routes=["download"], report=seen.append)
    counted = [progress for progress in seen if progress.done]
    assert counted
    assert {progress.total for progress in counted} == {len(host.archive)}
    assert [progress.step for progress in seen if progress.finished] == [
        "downloading prometheus 3.14.0",
        "unpacking prometheus",
    ]


def test_a_wrong_checksum_keeps_nothing(host: Host, obs_home: Path) -> None:
    host.sums = f"{'0' * 64}  {NAME}.tar.gz\n"
    with pytest.raises(StackError, match="wrong checksum"):
        _install()
    assert _nothing_is_left(obs_home)


def test_a_disk_without_room_is_said_and_left_as_it_was(host: Host, obs_home: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(host.archive) // 2, limits[1]))
    try:
        with pytest.raises(StackError, match=r"download of prometheus, promtool: File too large \("):
            _install()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert _nothing_is_left(obs_home)


def test_a_truncated_archive_keeps_nothing(host: Host, obs_home: Path) -> None:
    host.cut = len(host.archive) * 3 // 4
    with pytest.raises(StackError, match="cannot be had"):
        _install()
    assert _nothing_is_left(obs_home)


def test_a_release_without_our_archive_is_named(host: Host) -> None:
    host.sums = f"{'0' * 64}  other.tar.gz\n"
    with pytest.raises(StackError, match=rf"does not name {NAME}\.tar\.gz"):
        _install()
    assert host.asked == [SUMS]


def test_a_missing_release_is_a_404(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "page", lambda path: None)
    with pytest.raises(StackError, match="answered 404"):
        _install()


def test_a_slow_host_is_given_up(host: Host, monkeypatch: pytest.MonkeyPatch, obs_home: Path) -> None:
    import httpx

    monkeypatch.setattr(download, "_TIMEOUT", httpx.Timeout(0.3))
    host.release.clear()
    with pytest.raises(StackError, match=r"cannot be had: .*timed out"):
        _install()
    assert _nothing_is_left(obs_home)


def test_an_endless_answer_is_given_up(host: Host, monkeypatch: pytest.MonkeyPatch, obs_home: Path) -> None:
    monkeypatch.setattr(download, "_ARCHIVE_LIMIT", 1000)
    with pytest.raises(StackError, match="is larger than"):
        _install()
    assert _nothing_is_left(obs_home)


def test_a_program_that_is_absent_from_the_archive_is_named(host: Host, obs_home: Path) -> None:
    host.archive = _archive({f"{NAME}/prometheus": _script("prometheus")})
    host.sums = f"{hashlib.sha256(host.archive).hexdigest()}  {NAME}.tar.gz\n"
    with pytest.raises(StackError, match=f"holds no {NAME}/promtool"):
        _install()


def test_an_archive_that_is_none_is_refused(host: Host, obs_home: Path) -> None:
    host.archive = b"not a tar file, though its checksum is right"
    host.sums = f"{hashlib.sha256(host.archive).hexdigest()} *{NAME}.tar.gz\n"
    with pytest.raises(StackError, match="cannot be unpacked"):
        _install()
    assert _nothing_is_left(obs_home)


def test_a_redirect_on_this_machine_is_followed(host: Host) -> None:
    host.redirects[ARCHIVE] = "/mirror"
    pages = {SUMS: host.sums.encode(), "/mirror": host.archive, ARCHIVE: b""}
    host.page = pages.get  # type: ignore[method-assign, assignment]
    assert set(_install()) == {"prometheus", "promtool"}


def test_a_redirect_may_not_leave_tls(host: Host) -> None:
    host.redirects[SUMS] = "http://releases.invalid/sha256sums.txt"
    with pytest.raises(ConfigError, match=r"over TLS only: got 'http://releases\.invalid"):
        _install()


@pytest.mark.parametrize("url", ["http://releases.invalid", "ftp://127.0.0.1", "releases.invalid"])
def test_a_base_without_tls_is_refused(url: str, monkeypatch: pytest.MonkeyPatch, programs: Path) -> None:
    monkeypatch.setenv("OBS_RELEASE_URL", url)
    with pytest.raises(ConfigError, match="set OBS_RELEASE_URL to an https address"):
        _install()


def test_an_unreachable_host_leaves_the_turn_to_the_next_route(
    monkeypatch: pytest.MonkeyPatch, programs: Path
) -> None:
    monkeypatch.setenv("OBS_RELEASE_URL", "http://127.0.0.1:1")
    with pytest.raises(StackError, match=r"(?s)download: .*cannot be had.*debian: no apt-get"):
        engines.install(["promtool"], routes=["download", "debian"])


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def _bare(members: dict[str, bytes]) -> bytes:
    (content,) = members.values()
    return content


_OS, _, _ARCH = machine().partition("-")
_UNAME = {"amd64": "x86_64", "arm64": "aarch64"}[_ARCH]
_TARGZ = f"{_OS}_{_ARCH}.tar.gz"


@pytest.mark.parametrize(
    ("engine", "folder", "archive", "sums", "member", "pack"),
    [
        (
            "loki",
            "grafana/loki/releases/download/v{version}",
            f"loki-{machine()}.zip",
            "SHA256SUMS",
            f"loki-{machine()}",
            _zip,
        ),
        (
            "tempo",
            "grafana/tempo/releases/download/v{version}",
            f"tempo_{{version}}_{_TARGZ}",
            "SHA256SUMS",
            "tempo",
            _archive,
        ),
        (
            "otelcol",
            "open-telemetry/opentelemetry-collector-releases/releases/download/v{version}",
            f"otelcol-contrib_{{version}}_{_TARGZ}",
            "opentelemetry-collector-releases_otelcol-contrib_checksums.txt",
            "otelcol-contrib",
            _archive,
        ),
        (
            "docker-compose",
            "docker/compose/releases/download/v{version}",
            f"docker-compose-{_OS}-{_UNAME}",
            "checksums.txt",
            "docker-compose",
            _bare,
        ),
    ],
)
def test_each_project_publishes_in_its_own_way(
    *,
    host: Host,
    engine: str,
    folder: str,
    archive: str,
    sums: str,
    member: str,
    pack: Callable[[dict[str, bytes]], bytes],
) -> None:
    version = str(facts_of(engine).product.release)
    name = archive.format(version=version)
    place = f"/{folder.format(version=version)}"
    content = pack({member: _script(member, version)})
    host.others = {
        f"{place}/{name}": content,
        f"{place}/{sums}": f"{hashlib.sha256(content).hexdigest()} *{name}\n".encode(),
    }
    found = engines.install([engine], routes=["download"])[engine]
    assert (str(found.version), found.route, found.shared) == (version, "download", None)
    assert host.asked == [f"{place}/{sums}", f"{place}/{name}"]


def _grafana(host: Host, members: dict[str, bytes]) -> str:
    version = str(facts_of("grafana").product.release)
    name = f"/oss/release/grafana-{version}.{machine()}.tar.gz"
    content = _archive(members)
    host.others = {name: content, f"{name}.sha256": hashlib.sha256(content).hexdigest().encode()}
    return version


def test_what_belongs_to_a_program_is_kept_beside_it(host: Host) -> None:
    version = str(facts_of("grafana").product.release)
    _grafana(
        host,
        {
            "grafana-x/bin/grafana": f"#!/bin/sh\necho 'grafana version {version}'\n".encode(),
            "grafana-x/conf/defaults.ini": b"[paths]\n",
            "grafana-x/../../escaped": b"no",
            "elsewhere/file": b"no",
        },
    )
    found = engines.install(["grafana"], routes=["download"])["grafana"]
    assert found.shared is not None
    kept = {str(path.relative_to(found.shared)) for path in found.shared.rglob("*") if path.is_file()}
    assert kept == {"bin/grafana", "conf/defaults.ini"}
    assert (found.shared / "bin" / "grafana").stat().st_mode & 0o111


def test_a_release_without_the_program_is_said(host: Host, obs_home: Path) -> None:
    _grafana(host, {"grafana-x/readme": b"hello"})
    with pytest.raises(StackError, match=r"holds no \*/bin/grafana"):
        engines.install(["grafana"], routes=["download"])
    assert _nothing_is_left(obs_home)


def test_a_project_has_its_own_host_unless_a_mirror_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OBS_RELEASE_URL", raising=False)
    hosts = {name: release_url(facts_of(name).product.published.host) for name in ("prometheus", "grafana")}
    assert hosts == {"prometheus": "https://github.com", "grafana": "https://dl.grafana.com"}
