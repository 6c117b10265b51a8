"""serve(): metrics and health for processes without a web application."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import obs
from obs.errors import ObsError
from obs.runtime import server


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, {name.lower(): text for name, text in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_port_zero_is_answered_with_the_bound_one_and_everything_is_served() -> None:
    obs.init("worker")
    port = obs.serve(0)
    assert port > 0
    status, headers, body = get(port, "/metrics", accept="application/openmetrics-text;version=1.0.0")
    assert status == 200
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert json.loads(get(port, "/health")[2])["status"] == "healthy"
    assert get(port, "/ready")[0] == 200
    assert get(port, "/live?probe=1")[0] == 200
    assert get(port, "/nope")[0] == 404
    assert get(port, "/live", "HEAD")[2] == b""
    assert get(port, "/live", "POST")[0] == 501
    assert f"serve 127.0.0.1:{port}" in obs.status().on


def test_asking_again_for_the_same_port_is_harmless() -> None:
    obs.init("worker")
    port = obs.serve(0)
    assert obs.serve(port) == port


def test_a_taken_port_is_a_clear_error() -> None:
    obs.init("worker")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ObsError) as caught:
            obs.serve(port)
    assert f"127.0.0.1:{port}" in caught.value.message
    assert "already in use" in caught.value.message
    assert caught.value.hint is not None


def test_before_init_it_is_refused() -> None:
    with pytest.raises(ObsError, match="before init"):
        obs.serve(0)


def test_shutdown_frees_the_port_and_ends_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    serve_forever = server._Server.serve_forever

    def linger(self: Any, poll_interval: float) -> None:
        serve_forever(self, poll_interval)
        time.sleep(0.1)

    monkeypatch.setattr(server._Server, "serve_forever", linger)
    obs.init("worker")
    port = obs.serve(0)
    get(port, "/live")
    obs.shutdown()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    assert "obs-serve" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("name", ["metrics", "health", "ready", "live"])
def test_paths_can_be_chosen(name: str) -> None:
    obs.init("worker", **{f"{name}_path": "/internal/it"})
    port = obs.serve(0)
    assert get(port, "/internal/it")[0] == 200
    for other in ("metrics", "health", "ready", "live"):
        assert get(port, f"/{other}")[0] == (404 if other == name else 200)


def threads() -> int:
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def test_so_many_slow_clients_hold_so_many_threads_and_no_more() -> None:
    obs.init("worker")
    port = obs.serve(0)
    limit = server._MOST_CLIENTS
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(limit + 8):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            client.sendall(b"GET /live HT")
            clients.append(client)
        # The last ones have been sent away.
        for client in clients[limit:]:
            with contextlib.suppress(ConnectionError):
                assert client.recv(1) == b""
        # A thread of another test's server may be about to end.
        until(lambda: threads() == limit)
        clients[0].sendall(b"TP/1.1\r\n\r\n")
        assert clients[0].recv(64).startswith(b"HTTP/1.0 200")
        until(lambda: threads() < limit)
        assert get(port, "/live")[0] == 200


def test_a_client_that_sends_a_byte_now_and_then_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_LONGEST", 0.3)
    obs.init("worker")
    port = obs.serve(0)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /")

        def ended() -> bool:
            try:
                client.sendall(b"x")
            except ConnectionError:
                return True
            return False

        until(ended)
    until(lambda: threads() == 0)


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)
