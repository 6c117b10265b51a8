"""The load is bounded: in rate, in calls at once, in time; it counts what it saw."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from obs.verify.load import Call, Load


class _Target(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        #: Seconds that each answer takes.
        self.takes = 0.0
        self.lock = threading.Lock()
        self.seen: list[str] = []
        self.inside = 0
        self.most_inside = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Target

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.seen.append(self.path)
            self.server.inside += 1
            self.server.most_inside = max(self.server.most_inside, self.server.inside)
        self.server.gate.wait(60)
        time.sleep(self.server.takes)
        with self.server.lock:
            self.server.inside -= 1
        try:
            self.send_response(self.server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            # The load hangs up when it ends.
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's signature
        pass


@pytest.fixture(autouse=True)
def a_proxy_that_would_swallow_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")


@pytest.fixture
def target() -> Iterator[_Target]:
    server = _Target()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.01)


def test_it_ends_by_itself_after_its_duration_with_at_most_rate_times_duration_calls(target: _Target) -> None:
    with Load([Call("GET", target.url)], rate=50, duration=0.4) as load:
        wait_until(lambda: not load.running)
    # None at all, where the machine stood still for so long: what is due after the end is not sent.
    assert len(target.seen) <= 20
    assert load.failed == 0


def test_it_goes_through_the_mix_round_and_round(target: _Target) -> None:
    calls = [Call("GET", f"{target.url}/{name}") for name in "abc"]
    with Load(calls, rate=100, duration=30, in_flight=1) as load:
        wait_until(lambda: load.sent >= 9)
    assert target.seen[:9] == ["/a", "/b", "/c"] * 3


def test_a_target_that_does_not_keep_up_gets_the_mix_all_the_same(target: _Target) -> None:
    target.takes = 0.03
    calls = [Call("GET", f"{target.url}/{name}") for name in "abc"]
    with Load(calls, rate=100, duration=30, in_flight=1) as load:
        wait_until(lambda: load.sent >= 9)
    assert target.seen[:9] == ["/a", "/b", "/c"] * 3


def test_leaving_ends_it_at_once_even_with_calls_that_hang(target: _Target) -> None:
    target.gate.clear()
    with Load([Call("GET", target.url)], rate=100, duration=300) as load:
        wait_until(lambda: target.inside >= 1)
    assert not load.running


def test_no_more_calls_at_once_than_allowed(target: _Target) -> None:
    target.gate.clear()
    with Load([Call("GET", target.url)], rate=500, duration=300, in_flight=3):
        wait_until(lambda: target.inside == 3)
        # Time for a hundred more.
        time.sleep(0.2)
    assert target.most_inside == 3


def test_a_server_error_counts_as_failed(target: _Target) -> None:
    target.status = 503
    with Load([Call("GET", target.url)], rate=100, duration=30) as load:
        wait_until(lambda: load.sent >= 5)
        traffic = load.traffic()
    assert traffic.error_ratio == 1.0
    assert traffic.rate > 0


def test_a_client_error_is_the_callers_business(target: _Target) -> None:
    target.status = 404
    with Load([Call("GET", target.url)], rate=100, duration=30) as load:
        wait_until(lambda: load.sent >= 5)
    assert load.failed == 0


def test_a_target_that_is_not_there_counts_as_failed(target: _Target) -> None:
    url = target.url
    target.shutdown()
    target.server_close()
    with Load([Call("GET", url)], rate=100, duration=30) as load:
        wait_until(lambda: load.failed >= 3)
    assert load.failed == load.sent


def test_traffic_is_zero_before_the_first_call() -> None:
    load = Load([Call("GET", "http://127.0.0.1:1")], rate=1, duration=1)
    assert (load.traffic().rate, load.traffic().error_ratio) == (0.0, 0.0)


@pytest.mark.parametrize(("rate", "duration"), [(0, 1), (1, 0), (-1, 1)])
def test_a_load_without_bounds_is_refused(rate: float, duration: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Load([Call("GET", "http://127.0.0.1:1")], rate=rate, duration=duration)


_WHO_IMPORTS_WHAT = """
import importlib.abc, sys, threading, time
from obs.verify.load import Call, Load

class Watcher(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        print(threading.current_thread().name, name)

sys.meta_path.insert(0, Watcher())
with Load([Call("GET", sys.argv[1])], rate=100, duration=60) as load:
    while not load.sent:
        time.sleep(0.01)
"""


def test_an_interrupted_import_of_the_caller_cannot_reach_it(target: _Target) -> None:
    # Ctrl-C in the middle of an import leaves half a module to every thread that waits for it.
    done = subprocess.run(
        [sys.executable, "-c", _WHO_IMPORTS_WHAT, target.url], capture_output=True, text=True, check=True
    )
    imports = [line.split() for line in done.stdout.splitlines()]
    assert ["MainThread", "httpcore"] in imports, "httpx has changed: what does its first request import now?"
    assert not [
        name for thread, name in imports if thread == "load" and name.startswith(("http", "certifi", "h11"))
    ]
