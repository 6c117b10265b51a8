"""serve(): metrics and health for processes without a web application."""

from __future__ import annotations

import http.client
import json
import socket
import threading

import pytest

import obs
from obs.errors import ObsError


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


def test_shutdown_frees_the_port_and_ends_the_thread() -> None:
    obs.init("worker")
    port = obs.serve(0)
    get(port, "/live")
    obs.shutdown()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    assert "obs-serve" not in {thread.name for thread in threading.enumerate()}


def test_paths_can_be_chosen() -> None:
    obs.init("worker", metrics_path="/internal/metrics")
    port = obs.serve(0)
    assert get(port, "/internal/metrics")[0] == 200
    assert get(port, "/metrics")[0] == 404
