"""The probe of our images: 0 for an answer, 1 and the reason for anything else."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from obs.stack import probe
from obs.stack.ports import free

SOURCE = Path(probe.__file__).parents[2]


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_an_answer_is_health(server: str) -> None:
    assert probe.main([f"{server}/ready"]) == 0


def test_an_error_is_none_and_said(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main([f"{server}/health"]) == 1
    assert "503" in capsys.readouterr().err


def test_nobody_listening_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main([f"http://127.0.0.1:{free()}/"]) == 1
    assert "refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["127.0.0.1"], ["ftp://a:1/"], ["http://a/"], ["http://a:1/", "ca", "cert"]]
)
def test_misuse_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main(arguments) == 2
    assert "expected: python -m obs.stack.probe http://HOST:PORT/PATH" in capsys.readouterr().err


def test_a_server_that_speaks_something_else_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail\r\n")

        threading.Thread(target=greet, daemon=True).start()
        assert probe.main([f"http://127.0.0.1:{listening.getsockname()[1]}/"]) == 1
    assert "no answer in HTTP" in capsys.readouterr().err


def test_it_loads_next_to_nothing() -> None:
    listed = "import sys, obs.stack.probe; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", listed],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(SOURCE)},
    )
    assert not {"ssl", "argparse", "http.client", "urllib.request", "obs.runtime"} & set(done.stdout.split())
