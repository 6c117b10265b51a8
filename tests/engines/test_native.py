"""The native runtime with the real engines: Debian's oldest supported ones and the newest from Go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.engines.sockets import sockets_of

from obs.errors import ConfigError, StackError
from obs.stack import native
from obs.stack.native import NativeConfig, ServerStatus, Target
from obs.stack.ports import answers

pytestmark = pytest.mark.engines

IDENTITY = {"service": "payments", "environment": "test", "instance": "payments-0"}
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

RULES = """
groups:
  - name: test
    interval: 500ms
    rules:
      - record: payments:orders:sum
        expr: sum by (service) (orders_total)
      - alert: OrdersSeen
        expr: payments:orders:sum > 0
        labels: {environment: test}
        annotations: {summary: "orders of {{ $labels.service }}"}
"""


class Stack(Protocol):
    """What the fixture `start_stack` returns."""

    config: NativeConfig
    servers: dict[str, ServerStatus]
    prometheus: str
    alertmanager: str

    def ask(self, url: str) -> Any: ...
    def query(self, expression: str) -> list[dict[str, Any]]: ...
    def await_result(self, expression: str) -> list[dict[str, Any]]: ...


class Exporter:
    """A scrape target whose page a test can change."""

    def __init__(self) -> None:
        self.page = "# TYPE orders counter\norders_total 5.0\n# EOF\n"
        self.accepted: list[str] = []
        exporter = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                exporter.accepted.append(self.headers.get("Accept", ""))
                self.send_response(200)
                self.send_header("Content-Type", OPENMETRICS)
                self.end_headers()
                self.wfile.write(exporter.page.encode())

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    exporter = Exporter()
    thread = threading.Thread(target=exporter.server.serve_forever)
    thread.start()
    yield exporter
    exporter.server.shutdown()
    exporter.server.server_close()
    thread.join()


def _pids(stack: Stack) -> list[int]:
    return [server.pid for server in stack.servers.values() if server.pid is not None]


def test_a_target_is_scraped_under_its_identity_and_no_other(
    route: str, start_stack: Callable[..., Stack], exporter: Exporter
) -> None:
    stack = start_stack(route=route, targets=[Target(exporter.address, IDENTITY)])

    (sample,) = stack.await_result("orders_total")

    assert sample["metric"] == {"__name__": "orders_total", "job": "services", **IDENTITY}
    assert "openmetrics-text" in exporter.accepted[0]


def test_a_rule_fires_and_reaches_the_alertmanager(
    route: str, start_stack: Callable[..., Stack], exporter: Exporter, tmp_path: Path
) -> None:
    rules = tmp_path / "rules" / "test.yml"
    rules.parent.mkdir()
    rules.write_text(RULES)
    stack = start_stack(route=route, targets=[Target(exporter.address, IDENTITY)], rules=[rules.parent])

    (recorded,) = stack.await_result("payments:orders:sum")
    assert recorded["value"][1] == "5"

    deadline = time.monotonic() + 60
    while not (alerts := stack.ask(f"{stack.alertmanager}/api/v2/alerts")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert alerts[0]["labels"] == {"alertname": "OrdersSeen", "service": "payments", "environment": "test"}
    assert alerts[0]["generatorURL"].startswith(f"{stack.prometheus}/graph?")


def test_the_engines_watch_themselves_under_their_own_identity(
    route: str, start_stack: Callable[..., Stack]
) -> None:
    stack = start_stack(route=route, external_labels={"environment": "test"})
    stack.await_result("count(up == 1) == 2")
    found = stack.query("up")
    assert {(one["metric"]["service"], one["metric"]["environment"]) for one in found} == {
        ("prometheus", "test"),
        ("alertmanager", "test"),
    }


def test_a_counter_that_is_born_at_one_counts_on_an_engine_with_created_timestamps(
    start_stack: Callable[..., Stack], exporter: Exporter
) -> None:
    stack = start_stack(route="go", targets=[Target(exporter.address, IDENTITY)])
    stack.await_result("orders_total")
    exporter.page = f"# TYPE births counter\nbirths_total 1.0\nbirths_created {time.time():.3f}\n# EOF\n"
    (sample,) = stack.await_result("increase(births_total[1m]) > 0.5")
    assert sample["metric"]["service"] == "payments"
    assert stack.query("births_created") == []


def test_everything_listens_on_loopback_only(route: str, start_stack: Callable[..., Stack]) -> None:
    stack = start_stack(route=route)
    listening = [_listening(pid) for pid in _pids(stack)]
    assert [len(sockets) for sockets in listening] == [1, 1]
    assert {address for sockets in listening for address in sockets} == {"0100007F"}


def _listening(pid: int) -> list[str]:
    """Return the local addresses, in the kernel's hexadecimal form, on which a process listens."""
    inodes = sockets_of(pid)
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == "0A" or table.startswith("udp")):
                found.append(fields[1].partition(":")[0])
    return found


def test_down_leaves_no_process_and_no_open_port(route: str, start_stack: Callable[..., Stack]) -> None:
    stack = start_stack(route=route)
    pids = _pids(stack)
    config = stack.config

    assert native.down(config.directory, purge=True) == ["prometheus", "alertmanager"]

    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(answers(port, "/-/ready") for port in config.ports.values())
    assert not config.directory.exists()


def test_a_second_up_is_harmless(route: str, start_stack: Callable[..., Stack]) -> None:
    stack = start_stack(route=route)
    again = native.up(stack.config, tied=True)
    assert [server.pid for server in again] == _pids(stack)
    assert all(server.was_running for server in again)


def test_data_outlives_a_restart(route: str, start_stack: Callable[..., Stack], exporter: Exporter) -> None:
    stack = start_stack(route=route, targets=[Target(exporter.address, IDENTITY)])
    stack.await_result("orders_total")
    config = stack.config
    native.down(config.directory)
    before = time.time()
    native.up(config, tied=True)
    # A scrape that came too late may have been the last one, and a target that is down has no value.
    stack.await_result(f"last_over_time(orders_total[5m] @ {before:.3f})")


def test_a_broken_rule_is_refused_in_promtools_words(
    route: str, start_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    rules = tmp_path / "broken.yml"
    rules.write_text("groups: [{name: x, rules: [{alert: A, expr: 'sum('}]}]")
    with pytest.raises(ConfigError, match=r"(?s)promtool refuses .*broken\.yml.*parse error"):
        start_stack(route=route, rules=[rules])


def test_a_broken_route_is_refused_in_amtools_words(
    route: str, start_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    given = tmp_path / "alertmanager.yml"
    given.write_text("route: {receiver: nobody}\nreceivers: [{name: somebody}]\n")
    with pytest.raises(ConfigError, match=r'(?s)amtool refuses .*undefined receiver "nobody"'):
        start_stack(route=route, alertmanager_config=given)


def test_the_engines_own_words_tell_why_one_did_not_start(
    route: str, start_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    write_ahead_log = tmp_path / "stack-0" / "prometheus" / "data" / "wal"
    write_ahead_log.parent.mkdir(parents=True)
    write_ahead_log.write_text("a file where a directory belongs")
    with pytest.raises(StackError, match=r"(?s)prometheus ended with 1 .*data/wal: not a directory"):
        start_stack(route=route)
    assert native.status(tmp_path / "stack-0")[0].state == "stopped"
