"""What a server is asked: selectors of alerts, and with a token where one is wanted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from obs.errors import ConfigError, VerifyError
from obs.lint import run
from obs.lint.live import Live
from obs.verify.query_api import Access

_RULES = """\
groups:
  - name: shop
    rules:
      - alert: OneTypo
        expr: rate(requests_total{service="chekout"}[5m]) > 100
      - alert: AllIsWell
        expr: rate(requests_total{service="checkout"}[5m]) > 100
      - alert: GoneOnPurpose
        expr: absent(requests_total{service="nobody"})
"""


class _Prometheus(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        names = self.path.endswith("/values")
        self._tell(["requests_total"] if names else {"requests_total": [{"type": "counter"}]})

    def do_POST(self) -> None:
        query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0]
        self._tell({"result": [1] if '"checkout"' in query else []})

    def _tell(self, found: object) -> None:
        if self.headers.get("Authorization") != "Bearer right":
            self._answer(401, {})
        else:
            self._answer(200, {"status": "success", "data": found})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Prometheus) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _live(url: str, folder: Path, token: str) -> Live:
    file = folder / "token"
    file.write_text(f"{token}\n", encoding="utf-8")
    return Live(url, Access(bearer=file))


def test_of_an_alert_the_selector_is_asked_and_not_the_comparison(url: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(_RULES, encoding="utf-8")
    live = _live(url, tmp_path, "right")
    found = run.lint([tmp_path / "rules.yml"], live=live).problems
    live.close()

    told = [(one.severity, one.place.line, one.message) for one in found if one.check == "live-query-empty"]
    message = (
        'requests_total{service="chekout"} has no series on the server now: alert OneTypo looks at nothing'
    )
    assert told == [("info", 5, message)]


def test_a_server_that_wants_another_token_is_no_server_without_series(url: str, tmp_path: Path) -> None:
    live = _live(url, tmp_path, "wrong")
    with pytest.raises(VerifyError, match="Prometheus answered 401"):
        live.reach()
    live.close()


def test_a_file_of_something_else_than_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing but the token"):
        _live("http://127.0.0.1:1", tmp_path, "two words")
