"""The console over TLS: as a process of its own, with certificates of an authority of the test's own."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests import certificates

from obs.console.__main__ import main
from obs.console.certificate import Certificate
from obs.errors import ConfigError
from obs.stack import probe
from obs.stack.certs.folder import Folder


@pytest.fixture
def certs(tmp_path: Path) -> Folder:
    """Certificates as `obs stack certs` makes them."""
    folder = Folder.of(tmp_path)
    certificates.make(folder)
    return folder


def _trusting(folder: Folder) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder.authority_certificate_path))


@contextlib.contextmanager
def _serving(folder: Folder, runbooks: Path) -> Iterator[str]:
    files = (
        "--certificate",
        str(folder.certificate_path("runbooks")),
        "--key",
        str(folder.key_path("runbooks")),
    )
    command = [sys.executable, "-m", "obs.console", "--runbooks", str(runbooks), "--port", "0", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip().rstrip("/")
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
            assert errors == ""
        finally:
            process.kill()


def _shown(address: str, trust: ssl.SSLContext, name: str = "127.0.0.1") -> bytes | None:
    """Return the certificate that a new connection is shown; an address, unlike a name, is not sent before."""
    port = int(address.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        trust.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.getpeercert(binary_form=True)


def test_pages_are_served_over_tls_and_not_without(certs: Folder, tmp_path: Path) -> None:
    with _serving(certs, tmp_path) as address:
        assert address.startswith("https://127.0.0.1:")
        assert probe.main([f"{address}/health", str(certs.authority_certificate_path)]) == 0
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{address}/health".replace("https", "http"), trust_env=False)
        with pytest.raises(ssl.SSLCertVerificationError):
            _shown(address, ssl.create_default_context())


def test_a_new_certificate_is_shown_from_the_next_connection_on(certs: Folder, tmp_path: Path) -> None:
    with _serving(certs, tmp_path) as address:
        for name in ("127.0.0.1", "localhost"):
            before = _shown(address, _trusting(certs), name)
            certificates.make(certs, "runbooks")
            assert _shown(address, _trusting(certs), name) != before


def test_a_half_replaced_pair_leaves_the_one_before(certs: Folder, tmp_path: Path) -> None:
    with _serving(certs, tmp_path) as address:
        before = _shown(address, _trusting(certs))
        certificate = certs.certificate_path("runbooks")
        certificate.write_bytes(certs.certificate_path("loki").read_bytes())
        assert _shown(address, _trusting(certs)) == before
        certificate.unlink()
        assert _shown(address, _trusting(certs)) == before


def test_what_cannot_be_served_is_said(
    certs: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match=r"cannot serve with this certificate: .*MISMATCH"):
        Certificate(certs.certificate_path("runbooks"), certs.key_path("loki"))
    with pytest.raises(ConfigError, match=r"none\.crt: cannot serve with this certificate: No such file"):
        Certificate(tmp_path / "none.crt", certs.key_path("loki"))
    options = ["--runbooks", str(tmp_path), "--port", "0"]
    assert main([*options, "--key", str(certs.key_path("loki"))]) == 2
    assert "--certificate and --key go together" in capsys.readouterr().err
