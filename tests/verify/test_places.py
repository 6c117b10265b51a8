"""Every server of the demo has one fixed port, and any of them can be moved."""

from __future__ import annotations

import socket

import pytest

from obs.errors import ConfigError, StackError
from obs.stack.servers import SERVERS, SHOP
from obs.verify.places import PORTS, choose, require_all_free


def test_without_wishes_the_ports_are_the_fixed_ones() -> None:
    assert {name: endpoint.port for name, endpoint in choose([]).items()} == dict(PORTS)


def test_the_demo_runs_beside_the_stack_and_its_shop() -> None:
    stack = {port.native for server in (*SERVERS.values(), *SHOP.values()) for port in server.ports}
    assert not stack & set(PORTS.values())


def test_one_server_moves_and_the_others_stay() -> None:
    places = choose(["prometheus=9090"])
    assert places["prometheus"].url == "http://127.0.0.1:9090"
    assert places["alertmanager"].port == PORTS["alertmanager"]


def test_auto_gives_every_server_a_free_port_of_its_own() -> None:
    places = choose(["auto"])
    ports = {endpoint.port for endpoint in places.values()}
    assert len(ports) == len(PORTS)
    assert not ports & set(PORTS.values())
    require_all_free(places)


def test_a_later_wish_for_one_server_wins_over_auto_for_all() -> None:
    assert choose(["auto", "worker=4711"])["worker"].port == 4711


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("prometeus=9090", "did you mean 'prometheus'"),
        ("9090", "expected auto or NAME=PORT"),
        ("prometheus", "expected a port"),
        ("prometheus=70000", "expected a port from 1 to 65535 or auto, got '70000'"),
        ("prometheus=-1", "got '-1'"),
        ("worker=8712", "port 8712 is given to payments and worker"),
    ],
)
def test_an_impossible_wish_is_told_apart(wish: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose([wish])
    assert says in str(caught.value)


def test_a_taken_port_names_the_server_and_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        places = choose(["auto", f"payments={port}"])
        with pytest.raises(StackError) as caught:
            require_all_free(places)
    assert f"payments wants port {port}" in str(caught.value)
    assert "--port payments=PORT" in str(caught.value)
