"""Every server has one place on loopback; a taken port is said, with its owner-to-be and the way out."""

from __future__ import annotations

import socket

import pytest

from obs.errors import ConfigError, StackError
from obs.stack.ports import LOOPBACK, SERVERS, Endpoint, answers, endpoints, free, require_free


def test_defaults_are_the_engines_own() -> None:
    found = endpoints()
    assert {name: endpoint.port for name, endpoint in found.items()} == {
        "prometheus": 9090,
        "alertmanager": 9093,
    }
    assert found["prometheus"].url == "http://127.0.0.1:9090"
    assert found["prometheus"].ready_url == "http://127.0.0.1:9090/-/ready"


def test_a_chosen_port_replaces_the_default() -> None:
    assert endpoints({"alertmanager": 19093})["alertmanager"].address == "127.0.0.1:19093"


def test_a_misspelt_server_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'prometheus'"):
        endpoints({"promtheus": 1})


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_an_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(ConfigError, match=f"got {port}, expected 1 to 65535"):
        endpoints({"prometheus": port})


def test_one_port_for_two_servers_is_refused() -> None:
    with pytest.raises(ConfigError, match="port 9093 is given to prometheus and alertmanager"):
        endpoints({"prometheus": SERVERS["alertmanager"].port})


def test_a_taken_port_is_named_with_who_wants_it_and_the_option() -> None:
    with socket.create_server((LOOPBACK, 0)) as owner:
        port = owner.getsockname()[1]
        with pytest.raises(StackError) as caught:
            require_free(Endpoint("prometheus", port))
    assert f"prometheus wants port {port}" in str(caught.value)
    assert "--port prometheus=PORT" in str(caught.value)


def test_a_free_port_is_accepted() -> None:
    require_free(Endpoint("prometheus", free()))


def test_nobody_answers_on_a_closed_port() -> None:
    assert not answers(free(), "/-/ready")


def test_a_server_that_speaks_no_http_is_not_ready() -> None:
    with socket.create_server((LOOPBACK, 0)) as owner:
        assert not answers(owner.getsockname()[1], "/-/ready", timeout=0.2)
