"""The full stack as plain processes: one stack for all tests of this file, seen from outside."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engines.sockets import sockets_of

from obs.stack import engines, native, process, secret_files
from obs.stack.native import NativeConfig, ServerStatus
from obs.stack.ports import answers, free, spell
from obs.stack.servers import FULL, SERVERS

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("native-full")]

#: What CI has; Tempo and Grafana run where they are found.
REQUIRED = ("prometheus", "alertmanager", "loki", "collector", "runbooks")
_WITHIN = 120.0
_ROOT = Path(__file__).parents[2]
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Full:
    """A running full stack."""

    config: NativeConfig
    servers: dict[str, ServerStatus]

    @property
    def password(self) -> str:
        return secret_files.read(self.config.directory / "secrets" / "web_password")

    def get(self, name: str, path: str, *, login: bool = True) -> Any:
        request = urllib.request.Request(f"{self.servers[name].url}{path}")  # noqa: S310 - loopback
        if login and SERVERS[name].asks_password:
            both = base64.b64encode(f"obs:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {both}")
        with _direct.open(request, timeout=60) as answer:
            return json.load(answer)

    def query(self, expression: str) -> list[dict[str, Any]]:
        query = urllib.parse.urlencode({"query": expression})
        result: list[dict[str, Any]] = self.get("prometheus", f"/api/v1/query?{query}")["data"]["result"]
        return result

    def lines(self, selector: str) -> list[str]:
        query = urllib.parse.urlencode({"query": selector, "limit": 1000, "since": "1h"})
        streams = self.get("loki", f"/loki/api/v1/query_range?{query}")["data"]["result"]
        return [line for stream in streams for _, line in stream["values"]]


def _write_line(full: Full, message: str) -> None:
    with (full.config.directory / "log" / "services" / "checkout.log").open("a") as file:
        file.write(json.dumps({"service": "checkout", "level": "info", "message": message}) + "\n")


def _until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _WITHIN
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.25)
    return found


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeConfig]:
    engines.install(("loki", "otelcol"), routes=["go"])
    config = NativeConfig(
        directory=tmp_path_factory.mktemp("full") / "stack",
        servers=FULL,
        ports={spell(name, port.role): free() for name in FULL for port in SERVERS[name].ports},
        loki_rules=[_ROOT / "alerts" / "loki"],
        scrape_interval="1s",
        evaluation_interval="1s",
    )
    yield config
    native.down(config.directory)
    process.bury()


@pytest.fixture
def full(config: NativeConfig) -> Full:
    """The stack, up; started again where the test before has ended it."""
    servers = native.status(config.directory)
    if not all(server.state in ("ready", "skipped") for server in servers):
        servers = native.up(config, tied=True)
    return Full(config, {server.name: server for server in servers})


def _obs(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "obs", "stack", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_every_server_is_ready_or_says_why_it_is_left_out(full: Full) -> None:
    assert list(full.servers) == list(FULL)
    for name, server in full.servers.items():
        if name in REQUIRED:
            assert server.state == "ready", server
        elif server.state != "ready":
            assert server.state == "skipped"
            assert f"obs stack install {SERVERS[name].engine}" in str(server.reason)
            print(f"not run: {name}: {server.reason}")  # noqa: T201 - what was not run is said
    assert "notifies nobody" in str(full.servers["alertmanager"].reason)


def test_nothing_but_loopback_listens(full: Full) -> None:
    listening = {name: _listening(server.pid) for name, server in full.servers.items() if server.pid}
    assert set(listening) >= set(REQUIRED)
    wanted = {
        name: {full.config.ports[spell(name, p.role)] for p in SERVERS[name].ports} for name in listening
    }
    for name, sockets in listening.items():
        assert {address for address, _ in sockets} == {"0100007F"}, name
        assert {port for _, port in sockets} == wanted[name], name


def _listening(pid: int | None) -> set[tuple[str, int]]:
    """Return address, in the kernel's hexadecimal form, and port of each socket on which a process listens."""
    inodes = sockets_of(pid)
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == "0A" or table.startswith("udp")):
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
@pytest.mark.parametrize("path", ["/-/ready", "/metrics", "/", "/api/v1/query?query=up"])
def test_prometheus_and_alertmanager_ask_for_a_password(full: Full, name: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        full.get(name, path, login=False)
    with caught.value as refusal:
        assert refusal.code == 401


def test_every_target_of_the_stack_is_up_by_the_login_it_asks_for(full: Full) -> None:
    running = sorted(name for name, server in full.servers.items() if server.pid)
    _until(lambda: len(full.query("count by (service) (up == 1)")) == len(running), "a target is down")
    found = full.query("count by (service, environment) (up)")
    assert sorted(one["metric"]["service"] for one in found) == running
    # Found by a search of its own, which may end after the first scrapes.
    discovered = "prometheus_notifications_alertmanagers_discovered == 1"
    _until(lambda: full.query(discovered), "the Alertmanager was not found")


def test_alerts_about_servers_that_run_here_reach_the_alertmanager(full: Full) -> None:
    groups = full.get("prometheus", "/api/v1/rules")["data"]["groups"]
    # A service has several files: loki.yml, loki-urgent.yml, loki-slow-targets.yml.
    about = {Path(group["file"]).stem.partition("-")[0] for group in groups}
    running = {name for name, server in full.servers.items() if server.pid}
    assert about == {"fleet"} | running

    def arrived() -> set[str]:
        return {alert["labels"]["alertname"] for alert in full.get("alertmanager", "/api/v2/alerts")}

    _until(lambda: "Watchdog" in arrived(), "the watchdog did not arrive")


def test_rules_on_logs_are_loaded_from_where_the_user_keeps_them(full: Full) -> None:
    wanted = {file.name for file in (_ROOT / "alerts" / "loki").glob("*.yml")}

    def loaded() -> set[str]:
        groups = full.get("loki", "/prometheus/api/v1/rules")["data"]["groups"]
        return {Path(group["file"]).name for group in groups}

    _until(lambda: loaded() == wanted, "the rules were not loaded")


def test_no_alert_tells_of_an_outage_that_is_none(full: Full) -> None:
    _until(lambda: full.query("count(up == 1) >= 5"), "not scraped")
    firing = {one["metric"]["alertname"] for one in full.query('ALERTS{alertstate="firing",severity="page"}')}
    assert firing == set()


def test_a_line_that_a_service_writes_is_found_in_loki(full: Full) -> None:
    _write_line(full, "native line one")
    _until(lambda: full.lines('{service="checkout"} |= "native line one"'), "the line never came")


def test_no_secret_is_told_by_arguments_logs_or_pid_files(full: Full) -> None:
    secrets = [
        path.read_text().strip()
        for path in (full.config.directory / "secrets").iterdir()
        if path.name != "web.yml"
    ]
    assert len(secrets) == 3
    for path in (full.config.directory / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    status = _obs("status", "--dir", str(full.config.directory))
    told = [status.stdout, status.stderr]
    told += [
        Path(f"/proc/{server.pid}/cmdline").read_text() for server in full.servers.values() if server.pid
    ]
    for folder in ("run", "log", *FULL):
        for file in (full.config.directory / folder).glob("*"):
            if file.is_file():
                told.append(file.read_text(errors="replace"))
    assert not [secret for secret in secrets for text in told if secret in text]


def test_a_hash_costs_the_server_once_and_not_each_scrape(full: Full) -> None:
    full.query("up")
    before = _cpu_ticks(full.servers["prometheus"].pid)
    for _ in range(200):
        full.get("prometheus", "/api/v1/status/buildinfo")
    # Two hundred bcrypt comparisons would be ten seconds of it, which is a thousand ticks.
    assert _cpu_ticks(full.servers["prometheus"].pid) - before < 500


def _cpu_ticks(pid: int | None) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_second_up_is_harmless_and_another_configuration_is_refused(full: Full) -> None:
    again = native.up(full.config, tied=True)
    assert [one.pid for one in again] == [one.pid for one in full.servers.values()]
    done = _obs("up", "--dir", str(full.config.directory))
    assert done.returncode == 3, done.stderr
    assert "already runs here" in done.stderr, done.stderr
    assert "with another configuration" in done.stderr


def test_logs_show_what_a_server_says(full: Full) -> None:
    done = _obs("logs", "collector", "--dir", str(full.config.directory), "--lines", "2000")
    assert done.returncode == 0
    assert "Everything is ready" in done.stdout


def test_a_killed_server_is_seen_and_started_again_without_losing_data(full: Full) -> None:
    directory = full.config.directory
    _write_line(full, "before the kill")
    _until(lambda: full.lines('{service="checkout"} |= "before the kill"'), "the line never came")
    sample = time.time()
    _until(lambda: full.query(f'up{{service="loki"}} @ {sample:.3f}'), "no sample")
    killed = {name: full.servers[name].pid for name in ("loki", "prometheus")}
    for pid in killed.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    _until(lambda: _states(directory)["loki"] == "stopped", "nobody noticed")
    status = _obs("status", "--dir", str(directory))
    assert status.returncode == 1
    assert "loki          stopped" in status.stdout

    started = {server.name: server for server in native.up(full.config, tied=True)}
    full.servers.update(started)

    assert {name for name, server in started.items() if server.pid and not server.was_running} == set(killed)
    assert full.query(f'up{{service="loki"}} @ {sample:.3f}')
    _until(lambda: full.lines('{service="checkout"} |= "before the kill"'), "the line is lost")


def _states(directory: Path) -> dict[str, str]:
    return {server.name: server.state for server in native.status(directory)}


def test_down_and_up_keep_data_and_secrets_and_reset_removes_them(full: Full) -> None:
    directory = full.config.directory
    password, pids = full.password, [server.pid for server in full.servers.values() if server.pid]
    _write_line(full, "before the end")
    _until(lambda: full.lines('{service="checkout"} |= "before the end"'), "the line never came")

    assert native.down(directory)[-1] == "alertmanager"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids if pid)
    assert set(_states(directory).values()) <= {"stopped", "skipped"}
    full.servers.update({server.name: server for server in native.up(full.config, tied=True)})

    assert full.password == password
    _until(lambda: full.lines('{service="checkout"} |= "before the end"'), "the line is lost")
    ports = [server.url for server in full.servers.values() if server.url]
    refused = _obs("reset", "--dir", str(directory))
    assert refused.returncode == 2
    assert "say --yes" in refused.stderr
    done = _obs("reset", "--yes", "--dir", str(directory))
    assert done.returncode == 0, done.stderr
    assert not directory.exists()
    assert not any(answers(int(url.rpartition(":")[2]), "/") for url in ports)
