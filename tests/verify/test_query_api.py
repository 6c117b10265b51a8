"""The door to a server of the user's: whatever is behind the address, nothing ends in a traceback."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from obs.cli.main import run
from obs.errors import VerifyError
from obs.verify import query_api
from obs.verify.query_api import QueryApi, Refused, Unanswered

RULES = """\
groups:
  - name: shop
    rules:
      - {record: job:up:sum, expr: sum by (job) (up)}
"""
SPEC = "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [process]\n"


@dataclass
class Server:
    """Says to everybody what `body` and `status` say, after `wait` seconds."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    #: Each path whose answer is another one.
    other: dict[str, bytes] = field(default_factory=dict)
    never: threading.Event = field(default_factory=threading.Event)
    is_slow: bool = False
    authorized: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            told.authorized.append(self.headers.get("Authorization", ""))
            if told.is_slow:
                told.never.wait(60)
            body = next((text for path, text in told.other.items() if path in self.path), told.body)
            self.send_response(told.status)
            for name, value in {"Content-Length": str(len(body)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        told.url = f"http://127.0.0.1:{http.server_address[1]}"
        yield told
        told.never.set()
        http.shutdown()
        thread.join()


@pytest.fixture(params=["lint", "backtest"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Words of a command that asks the server whose address comes next."""
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
    (tmp_path / "spec.yml").write_text(SPEC, encoding="utf-8")
    return {
        "lint": ["lint", str(tmp_path / "rules.yml"), "--live"],
        "backtest": ["backtest", str(tmp_path / "spec.yml"), "--since", "1m", "--url"],
    }[request.param]


@pytest.fixture
def ask(words: list[str], capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command that asks the server at an address; return its exit code and what it says."""

    def start(url: str, *options: str) -> tuple[int, str]:
        code = run([*words, url, *options])
        return code, capsys.readouterr().err

    return start


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>log in</html>", "the server gives no answer of Prometheus"),
        (200, b"[" * 100_000, "the server gives no answer of Prometheus"),
        (200, b"null", "the server gives no answer of Prometheus"),
        (200, b'{"status": "success"}', "the server gives no answer of Prometheus"),
        (200, b'{"status": "success", "data": null}', "the server gives no answer of Prometheus"),
        (200, b'{"status": "success", "data": {"result": 7}}', "the server gives no answer of Prometheus"),
        (200, b'{"status": "success", "data": {"result": [{"values": [3]}]}}', "no answer of Prometheus"),
        (200, b"\xff\xfe", "the server gives no answer of Prometheus"),
        (302, b"", "give the address that it points to"),
        (401, b"", "give a token by --bearer-file"),
        (403, b"<html>", "give a token by --bearer-file"),
        (404, b"nothing here", "Prometheus answered 404"),
        (503, b"later", "Prometheus answered 503"),
    ],
)
def test_whatever_answers_could_not_be_asked(
    server: Server, ask: Callable[..., tuple[int, str]], status: int, body: bytes, said: str
) -> None:
    server.status, server.body = status, body
    if status == 302:
        server.headers["Location"] = "/login"

    code, err = ask(server.url)

    assert code == 3
    assert said in err


def test_an_answer_packed_in_a_way_that_it_is_not_could_not_be_asked(
    server: Server, ask: Callable[..., tuple[int, str]]
) -> None:
    server.headers["Content-Encoding"] = "gzip"

    code, err = ask(server.url)

    assert code == 3
    assert "Prometheus does not answer" in err


def test_nobody_behind_an_address_could_not_be_asked(ask: Callable[..., tuple[int, str]]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        code, err = ask(f"http://127.0.0.1:{nobody.getsockname()[1]}")

    assert code == 3
    assert "Prometheus does not answer" in err


@pytest.mark.parametrize(
    "url", ["localhost:9090", "http://", "ftp://x", "http://a\n", "http://me:very-secret@127.0.0.1:1"]
)
def test_what_is_no_address_of_a_server_is_a_mistake(ask: Callable[..., tuple[int, str]], url: str) -> None:
    code, err = ask(url)

    assert code == 2
    assert "very-secret" not in err


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (("--password-file", "secret"), "obs:two words"),
        (("--password-file", "secret", "--user", "me"), "me:two words"),
    ],
)
def test_a_password_is_sent_as_basic_authentication_and_never_shown(
    *,
    server: Server,
    words: list[str],
    options: tuple[str, ...],
    sent: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("secret").write_text("two words\n", encoding="utf-8")
    server.status = 401

    code = run([*words, server.url, *options])

    said = capsys.readouterr()
    assert code == 3
    assert "Prometheus answered 401" in said.err
    assert "two words" not in said.out + said.err
    assert base64.b64decode(server.authorized[0].removeprefix("Basic ")).decode() == sent


@pytest.mark.parametrize(
    ("content", "more", "told"),
    [
        ("", (), "holds nothing but the password"),
        ("one\ntwo", (), "holds nothing but the password"),
        ("word", ("--bearer-file", "secret"), "--bearer-file is given, too"),
        (None, (), "--password-file: cannot be read"),
    ],
)
def test_what_is_no_password_is_refused(
    *,
    ask: Callable[..., tuple[int, str]],
    content: str | None,
    more: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("secret").write_text(content, encoding="utf-8")

    code, err = ask("http://127.0.0.1:1", "--password-file", "secret", *more)

    assert code == 2
    assert told in err


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "--ca-file: cannot be read"), ("word", "--ca-file: expected certificates in PEM")],
)
def test_what_is_no_certificate_is_refused(
    ask: Callable[..., tuple[int, str]], content: str | None, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    code, err = ask("https://127.0.0.1:1", "--ca-file", str(file))

    assert code == 2
    assert told in err


def test_a_server_that_keeps_silent_is_given_up(server: Server) -> None:
    server.is_slow = True
    api = QueryApi(server.url, option="--url", timeout_s=0.2)

    with pytest.raises(Unanswered, match=r"no answer within 0\.2 s"):
        api.ask("GET", "metadata")
    api.close()


def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_api, "_WHOLE", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def drip() -> None:
            there, _ = listener.accept()
            with there:
                there.recv(4096)
                there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not over.is_set():
                    try:
                        there.sendall(b" ")
                    except OSError:
                        return
                    time.sleep(0.01)

        thread = threading.Thread(target=drip)
        thread.start()
        api = QueryApi(f"http://127.0.0.1:{listener.getsockname()[1]}", option="--url", timeout_s=1)
        try:
            with pytest.raises(Unanswered, match="within 1 s"):
                api.ask("GET", "metadata")
        finally:
            over.set()
            api.close()
            thread.join()


@pytest.mark.parametrize(
    ("kind", "expected"), [("bad_data", Refused), ("execution", Refused), ("timeout", Unanswered)]
)
def test_what_is_wrong_with_one_query_is_told_apart_from_a_query_that_takes_too_long(
    server: Server, kind: str, expected: type[Refused]
) -> None:
    server.status, server.body = (
        422,
        b'{"status": "error", "errorType": "%s", "error": "why"}' % kind.encode(),
    )
    api = QueryApi(server.url, option="--url", timeout_s=5)

    with pytest.raises(Refused, match="why") as caught:
        api.ask("POST", "query", {"query": "up"})
    api.close()

    assert caught.type is expected


def test_a_server_that_refuses_what_every_run_asks_could_not_be_asked(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.status, server.body = 400, b'{"status": "error", "errorType": "bad_data", "error": "no"}'
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")

    assert run(["lint", str(tmp_path / "rules.yml"), "--live", server.url]) == 3
    assert (
        f"error: {server.url}: Prometheus does not tell its label/__name__/values: no"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("execution", "error: the server refuses it: why"),
        ("timeout", "warning: could not be asked of the server: why"),
    ],
)
def test_a_query_that_one_server_does_not_answer_is_a_finding(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, said: str
) -> None:
    server.body = b'{"status": "error", "errorType": "%s", "error": "why"}' % kind.encode()
    server.other = {
        "/values": b'{"status": "success", "data": ["up"]}',
        "/metadata": b'{"status": "success", "data": {}}',
    }
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")

    assert run(["lint", str(tmp_path / "rules.yml"), "--live", server.url]) == 1
    assert said in capsys.readouterr().out


def test_an_error_names_the_server(server: Server) -> None:
    server.status = 500
    api = QueryApi(f"{server.url}/", option="--url", timeout_s=5)

    with pytest.raises(VerifyError, match=f"{server.url}/api/v1/metadata"):
        api.ask("GET", "metadata")
    api.close()
