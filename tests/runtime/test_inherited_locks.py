"""A fork while another thread holds a lock of somebody else's library: the child goes on without it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.runtime.sentry_receiver import Receiver

from obs.runtime import inherited
from obs.runtime.events.chain import Chain

#: A program that forks once: `answer` runs in the child, which has half a minute for milliseconds of work.
_FORK = """
import importlib, importlib.machinery, os, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)

def hold(lock):
    held = threading.Event()
    threading.Thread(target=lambda: (lock.acquire(), held.set(), time.sleep(60)), daemon=True).start()
    held.wait()

def fork(answer):
    child = os.fork()
    if not child:
        code = 1
        try:
            answer()
            code = 0
        finally:
            os._exit(code)
    ends = time.monotonic() + 30
    while (found := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > ends:
            os.kill(child, 9)
            os.waitpid(child, 0)
            sys.exit("the child hung")
        time.sleep(0.01)
    sys.stdout.flush()
    os._exit(os.waitstatus_to_exitcode(found[1]))

def import_slowly(module, seconds):  # in a thread, which is at it when this returns
    parent, begun = os.getpid(), threading.Event()

    class Slow:
        def find_spec(self, name, path=None, target=None):
            if name != module or os.getpid() != parent:
                return None
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            execute = spec.loader.exec_module
            # Not while it is looked for: Python's own hook waits for that.
            spec.loader.exec_module = lambda made: (begun.set(), time.sleep(seconds), execute(made))
            return spec

    sys.modules.pop(module, None)
    sys.meta_path.insert(0, Slow())
    threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()
    begun.wait()

import obs
"""


def _run(body: str, *arguments: str) -> str:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "SENTRY_"))}
    done = subprocess.run(
        [sys.executable, "-c", _FORK + textwrap.dedent(body), *arguments],
        capture_output=True, text=True, check=False, timeout=90, env=kept,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("whose", "lock"),
    [
        ("ours", "_worker._lock"),
        ("ours", "_pool.pools.lock"),
        ("the host's", "_worker._lock"),
        ("the host's", "_worker._queue.mutex"),
        ("the host's", "_pool.pools.lock"),
    ],
)
def test_a_child_sends_error_events_whatever_was_held_of_sentrys(
    receiver: Receiver, whose: str, lock: str
) -> None:
    _run(
        f"""
        import sentry_sdk
        if {whose == "the host's"}:
            sentry_sdk.init(sys.argv[1], default_integrations=False)
            obs.init("shop", logs=False, traces=False)
        else:
            obs.init("shop", sentry_dsn=sys.argv[1], logs=False, traces=False)
        obs.capture(KeyError("parent"))
        obs.flush(10)
        hold(sentry_sdk.get_client().transport.{lock})

        def answer():
            # By our door, and by Sentry's own.
            assert obs.capture(ValueError("child"))
            assert sentry_sdk.capture_message("child")
            assert obs.flush(20)

        fork(answer)
        """,
        receiver.dsn,
    )
    values = [event.get("message") or event["exception"]["values"][0]["value"] for event in receiver.events]
    assert sorted(values) == ["'parent'", "child", "child"]


def test_a_child_ends_sessions_of_the_hosts_client_while_the_parent_adds_them_up(receiver: Receiver) -> None:
    _run(
        """
        import sentry_sdk
        sentry_sdk.init(sys.argv[1], default_integrations=False)
        obs.init("shop", logs=False, traces=False)
        hold(sentry_sdk.get_client().session_flusher._aggregate_lock)
        fork(lambda: obs.flush(5))
        """,
        receiver.dsn,
    )


def test_a_child_does_not_send_what_the_parent_has_queued_in_the_hosts_client(receiver: Receiver) -> None:
    _run(
        """
        import sentry_sdk
        sentry_sdk.init(sys.argv[1], default_integrations=False)
        obs.init("shop", logs=False, traces=False)
        worker = sentry_sdk.get_client().transport._worker
        # Its thread never begins, so that the event is still there at the fork.
        worker._ensure_thread = lambda: None
        obs.capture(KeyError("parent"))

        def answer():
            assert obs.capture(ValueError("child"))
            assert obs.flush(20)

        fork(answer)
        """,
        receiver.dsn,
    )
    assert [event["exception"]["values"][0]["value"] for event in receiver.events] == ["child"]


def test_a_child_exports_log_lines_while_a_thread_of_the_parent_parsed_a_time() -> None:
    _run(
        """
        import _strptime, http.server

        class Collector(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{listening.server_address[1]}"
        obs.init("shop", otlp_endpoint=url, otlp_logs="on")
        hold(_strptime._cache_lock)

        def answer():
            obs.log.info("child")
            assert obs.flush(20)

        fork(answer)
        """
    )


@pytest.mark.parametrize("module", ["obs.runtime.health", "obs.runtime.metrics.scrape", "resource"])
def test_a_fork_waits_for_what_a_thread_is_importing(module: str) -> None:
    path = "metrics" if "scrape" in module else "health"
    _run(
        f"""
        obs.init("shop")
        from obs.runtime import endpoints
        import_slowly({module!r}, 0.3)

        def answer():
            __import__({module!r})
            assert endpoints.answer_in_thread({path!r}, "", "").status == 200

        fork(answer)
        """
    )


def test_a_child_begins_anew_with_an_import_that_has_no_end() -> None:
    out = _run(
        """
        from obs.runtime import inherited, setup
        inherited._PATIENCE = 0.1
        import_slowly("colorsys", 60)
        # Found out by the first fork; those that follow do not wait for it again.
        inherited.await_imports()
        inherited._PATIENCE = 60

        def answer():
            import colorsys
            print(colorsys.rgb_to_hsv(0, 0, 0), flush=True)

        fork(answer)
        """
    )
    assert out == "(0.0, 0.0, 0)\n"


def test_a_fork_inside_of_an_import_does_not_wait_for_that(tmp_path: Path) -> None:
    (tmp_path / "forks_at_once.py").write_text(
        "import os\nchild = os.fork()\nif not child:\n    import colorsys\n    os._exit(0)\nos.waitpid(child, 0)\n"
    )
    _run(
        f"""
        from obs.runtime import inherited, setup
        inherited._PATIENCE = 60
        sys.path.insert(0, {str(tmp_path)!r})

        def answer():
            import forks_at_once

        fork(answer)
        """
    )


def test_what_has_no_such_locks_stays_as_it_is() -> None:
    class Other:
        lock = "no lock"

    inherited.free(None, 7, Other())


def test_a_chain_tells_of_itself_at_any_moment_without_mixing_two_lines() -> None:
    chain = Chain(None)
    told: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []

    def step(*_: object) -> object:
        told.append(chain.describe())
        return step

    sys.settrace(step)  # type: ignore[arg-type]
    try:
        lines.extend(chain.link({"number": number}) for number in range(3))
    finally:
        sys.settrace(None)
    written = {line["sequence"]: line["hash"] for line in lines} | {-1: ""}
    assert len(told) > 3 * len(lines)
    assert all(written[one["sequence"]] == one["digest"] for one in told)


def test_a_child_leaves_alone_a_connection_that_a_thread_of_the_parent_reads_from() -> None:
    _run(
        """
        import socket
        from obs.runtime.otel import queue
        from obs.runtime.otel.sender import Sender

        collector = socket.create_server(("127.0.0.1", 0))

        def answer_half():
            client, _ = collector.accept()
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 9\\r\\n\\r\\nhalf")
            time.sleep(60)

        threading.Thread(target=answer_half, daemon=True).start()
        url = f"http://127.0.0.1:{collector.getsockname()[1]}"
        obs.init("shop", otlp_endpoint=url, otlp_timeout=50, export_interval=0.01, logs=False)
        with obs.span("order"):
            pass
        # A busy machine: the thread does not get so far as to notice that it is to end.
        Sender.interrupt = lambda _: None
        queue._FORK_SEND = queue._FORK_JOIN = 0
        while "readinto" not in [frame.f_code.co_name for frame in sys._current_frames().values()]:
            time.sleep(0.01)

        def answer():
            with obs.span("child"):
                pass
            obs.flush(0.1)

        fork(answer)
        """
    )


def test_a_fork_waits_for_an_init_in_another_thread() -> None:
    _run(
        """
        from obs.runtime import endpoints
        from obs.runtime.parts.metrics import MetricsPart

        obs.init("shop")
        things = obs.counter("shop.things")
        start, begun = MetricsPart.start, threading.Event()

        def start_slowly(*arguments):
            begun.set()
            time.sleep(0.5)
            start(*arguments)

        MetricsPart.start = start_slowly
        changing = threading.Thread(target=lambda: obs.init("shop", series_cap=77))
        changing.start()
        begun.wait()
        # Of the metrics that are on their way out: no part has them any more to renew them.
        hold(endpoints._metrics.store.lock)

        def answer():
            things.inc()
            assert b"shop_things_total 1.0" in endpoints.answer_in_thread("metrics", "", "").body

        fork(answer)
        """
    )


def test_a_fork_does_not_wait_for_ever_for_a_shutdown_and_gives_its_lock_back() -> None:
    _run(
        """
        from obs.runtime import setup
        setup._FORK_PATIENCE = 0.1
        obs.init("shop", traces=False)
        ended = threading.Event()
        waiting = threading.Thread(target=lambda: (setup._lock.acquire(), ended.wait(), setup._lock.release()))
        waiting.start()
        while setup._lock.acquire(timeout=0):
            setup._lock.release()
        for _ in range(2):
            child = os.fork()
            if not child:
                os._exit(0 if obs.shutdown(5) else 1)
            assert os.waitpid(child, 0)[1] == 0
        ended.set()
        waiting.join()
        # Not only by this thread, which could take it twice.
        for _ in range(2):
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
        stopping = threading.Thread(target=obs.shutdown)
        stopping.start()
        stopping.join(30)
        assert not stopping.is_alive()
        """
    )
