"""Every server has one place on loopback; a taken port is said, with its owner-to-be and the way out."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obs.errors import ConfigError, StackError
from obs.stack import ports
from obs.stack.ports import LOOPBACK, Endpoint, answers, free, numbers, require_free, shifted
from obs.stack.servers import SERVERS, SHOP, SMALL, START_ORDER


def test_defaults_are_the_engines_own() -> None:
    found = numbers()
    assert (found["prometheus", "http"], found["alertmanager", "http"]) == (9090, 9093)
    assert Endpoint("prometheus", 9090).url == "http://127.0.0.1:9090"


def test_a_chosen_port_replaces_the_default() -> None:
    assert numbers({"alertmanager": 19093})["alertmanager", "http"] == 19093


def test_a_misspelt_server_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'prometheus'"):
        numbers({"promtheus": 1})


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_an_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(ConfigError, match=f"got {port}, expected 1 to 65535"):
        numbers({"prometheus": port})


def test_one_port_for_two_servers_is_refused() -> None:
    with pytest.raises(ConfigError, match="port 9093 is given to prometheus and alertmanager"):
        numbers({"prometheus": 9093})


def test_what_does_not_run_holds_no_port() -> None:
    assert numbers({"prometheus": 3000}, SMALL)["prometheus", "http"] == 3000
    with pytest.raises(ConfigError, match="port 3000 is given to prometheus and grafana"):
        numbers({"prometheus": 3000})


def test_one_port_of_several_is_chosen_by_its_role() -> None:
    found = numbers({"collector": 14318, "collector.otlp_grpc": 24317})
    assert found["collector", "otlp_http"] == 14318
    assert found["collector", "otlp_grpc"] == 24317
    assert found["tempo", "otlp_grpc"] == 14317


def test_a_second_stack_moves_every_port_and_chosen_ones_stand() -> None:
    moved = numbers({**shifted(SERVERS, 7000), "loki": 4000})
    assert moved["loki", "http"] == 4000
    assert moved["loki", "grpc"] == 26095
    assert not {moved[name, port.role] for name in SERVERS for port in SERVERS[name].ports} & {
        port.native for server in SERVERS.values() for port in server.ports
    }
    assert shifted(["prometheus", "nobody"], 1) == {"prometheus": 9091}


def test_a_misspelt_role_gets_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"(?s)collector has no port called 'otlp_gprc'.*'otlp_grpc'"):
        numbers({"collector.otlp_gprc": 1})


def test_no_two_servers_share_a_port_on_loopback_or_a_port_among_containers() -> None:
    known = {**SERVERS, **SHOP}.values()
    native = [port.native for server in known for port in server.ports]
    assert len(native) == len(set(native))
    for server in known:
        assert len({port.inside for port in server.ports}) == len(server.ports)
        assert server.ready[0] in {port.role for port in server.ports}
    assert sorted(START_ORDER) == sorted(SERVERS)


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


def test_a_free_port_is_given_once() -> None:
    assert len({free() for _ in range(300)}) == 300


def test_a_free_port_is_given_once_though_servers_have_just_left_some() -> None:
    for _ in range(60):
        with (
            socket.create_server((LOOPBACK, free())) as server,
            socket.create_connection(server.getsockname()),
            server.accept()[0],
        ):
            """Who hangs up first, the server here, has the port for a minute more."""
    assert len({free() for _ in range(300)}) == 300


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server((LOOPBACK, free())) as owner:
        # More than a whole round of them.
        assert owner.getsockname()[1] not in {free() for _ in range(600)}


def test_a_free_port_is_given_to_no_other_process_and_to_nobody_who_asks_for_any() -> None:
    script = "from obs.stack.ports import free; print(*(free() for _ in range(300)), flush=True); input()"
    others = [
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    given: list[int] = []
    for other in others:
        assert other.stdout is not None
        given += map(int, other.stdout.readline().split())
    for other in others:
        other.communicate(b"\n")
    assert len(set(given)) == 600
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(given) < low


@pytest.mark.usefixtures("_no_block_is_left")
def test_more_processes_than_blocks_share_what_there_is() -> None:
    assert len({free() for _ in range(20)}) == 20


@pytest.fixture
def _no_block_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.create_server((LOOPBACK, taken := free())):
        monkeypatch.setattr(ports, "_BLOCKS", range(taken, taken + 512, 512))
        ports._own_ports.cache_clear()
        yield
    ports._own_ports.cache_clear()
