"""The probe of our images: 0 for an answer, 1 and the reason for anything else."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from obs.stack import probe
from obs.stack.ports import free


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


def test_no_address_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main(["127.0.0.1"]) == 1
    assert "unknown url type" in capsys.readouterr().err


def test_a_proxy_is_not_asked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free()}")
    assert probe.main([f"{server}/ready"]) == 0
