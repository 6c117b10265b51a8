"""What waits is delivered at the end of a process, however it ends: each in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import obs

_INIT = "import obs, os, sys, time, signal\nobs.init('shop', otlp_endpoint={url!r}, **{settings})\n"
_SPAN = "with obs.span('last'): pass\n"
_READY = "print('ready', flush=True)\n"
#: Not one long wait: Python may overlook a signal in the moment before it begins.
_WAIT = "for _ in range(6000): time.sleep(0.01)\n"


def script(collector: Any, body: str, **settings: Any) -> str:
    return _INIT.format(url=collector.url, settings=settings) + body


def run(code: str, *, warnings: str = "error") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", warnings, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def terminate(code: str, *prefix: str) -> tuple[int, str]:
    """Run `code` until it says that it is ready, end it by SIGTERM; return exit code and output."""
    with subprocess.Popen(
        [*prefix, sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "ready\n":
                break
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        return process.returncode, "".join(lines) + rest


def test_a_script_that_sigterm_ends_delivers_and_dies_by_the_signal(collector: Any) -> None:
    code, output = terminate(script(collector, _SPAN + _READY + _WAIT))
    assert (code, output) == (-signal.SIGTERM, "ready\n")
    assert collector.names() == ["last"]


def test_metrics_of_a_job_that_sigterm_ends_are_pushed_too(collector: Any) -> None:
    body = "obs.counter('shop.orders').inc()\n" + _READY + _WAIT
    code, _ = terminate(script(collector, body))
    assert code == -signal.SIGTERM
    assert any("shop_orders" in name or "shop.orders" in name for name in collector.metric_names())


def test_a_collector_that_never_answers_keeps_no_terminated_script_alive(collector: Any) -> None:
    collector.behaviour = collector.behaviour._replace(fault="silent")
    body = _SPAN + _READY + _WAIT
    code, output = terminate(script(collector, body, shutdown_timeout=0.3, log_level="critical"))
    assert (code, output) == (-signal.SIGTERM, "ready\n")


def test_a_handler_of_the_host_is_called_and_left_alone(collector: Any) -> None:
    body = (
        "done = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: done.append(1))\n"
        "status = obs.init('shop', otlp_endpoint=os.environ['URL'])\n"
        "assert 'handler already' in status.skipped['flush at SIGTERM'], status\n"
        + _SPAN + _READY
        + "while not done: time.sleep(0.01)\n"
        "print('mine', flush=True)\n"
        "os._exit(7)\n"
    )  # fmt: skip
    environment = {**os.environ, "URL": collector.url}
    code = "import obs, os, signal, time\n" + body
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "mine\n"
    assert process.returncode == 7
    assert collector.names() == []


def test_with_the_setting_off_sigterm_is_the_hosts(collector: Any) -> None:
    code, _ = terminate(script(collector, _SPAN + _READY + _WAIT, flush_on_sigterm=False))
    assert code == -signal.SIGTERM
    assert collector.names() == []


def test_the_first_process_of_a_container_delivers_and_exits_143(collector: Any) -> None:
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run([unshare, "-pf", "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("making a PID namespace needs root")
    body = (
        "assert os.getpid() == 1\n"
        + _SPAN
        # The kernel shields the first process from signals of its own namespace only without a handler.
        + "os.kill(1, signal.SIGTERM)\ntime.sleep(60)\n"
    )
    done = subprocess.run(
        [unshare, "-pf", "--mount-proc", sys.executable, "-c", script(collector, body)],
        timeout=60, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (143, "")
    assert collector.names() == ["last"]


def test_init_in_another_thread_says_why_sigterm_is_not_covered() -> None:
    found: list[obs.Status] = []
    thread = threading.Thread(target=lambda: found.append(obs.init("shop")))
    thread.start()
    thread.join()
    assert "main thread" in found[0].skipped["flush at SIGTERM"]
    obs.shutdown()


def test_shutdown_gives_sigterm_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    obs.init("shop")
    assert signal.getsignal(signal.SIGTERM) is not before
    obs.shutdown()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("end", ["", "sys.exit(3)\n", "raise SystemExit(3)\n", "1 / 0\n"])
def test_every_ordinary_end_of_a_script_delivers(collector: Any, end: str) -> None:
    run(script(collector, _SPAN + end))
    assert collector.names() == ["last"]


def test_a_daemon_thread_is_no_obstacle(collector: Any) -> None:
    body = (
        "import threading\n"
        "def work():\n"
        "    while True:\n"
        "        with obs.span('daemon'): time.sleep(0.001)\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.1)\n" + _SPAN
    )
    done = run(script(collector, body))
    assert (done.returncode, done.stderr) == (0, "")
    assert "last" in collector.names()


_CHILDREN = """
import multiprocessing, os
import obs
from obs.runtime.otel import queue

# However long it takes to send what waits at a fork: what is cut off there is sent a second time.
queue._FORK_SEND = 60

def work(number):
    if not obs.status().running:
        obs.init()
    with obs.span(f"child {number}"):
        pass

if __name__ == "__main__":
    obs.init()
    with obs.span("parent"):
        pass
    context = multiprocessing.get_context(os.environ["METHOD"])
    children = [context.Process(target=work, args=(number,)) for number in range(int(os.environ["COUNT"]))]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * len(children)
"""


@pytest.mark.parametrize(("method", "count"), [("fork", 10), ("spawn", 2), ("forkserver", 2)])
def test_all_spans_of_all_children_of_multiprocessing_arrive_once(
    collector: Any, tmp_path: Path, method: str, count: int
) -> None:
    program = tmp_path / "program.py"
    program.write_text(_CHILDREN)
    environment = {
        **os.environ, "METHOD": method, "COUNT": str(count), "OBS_SERVICE": "shop", "OBS_OTLP_ENDPOINT": collector.url
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "always", str(program)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(collector.names()) == sorted(["parent", *(f"child {number}" for number in range(count))])


def test_a_pool_that_is_closed_delivers_and_one_that_is_terminated_ends(
    collector: Any, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, obs, signal\n"
        "def work(number):\n"
        "    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
        "    with obs.span(f'task {number}'): return number\n"
        "if __name__ == '__main__':\n"
        "    obs.init()\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        assert pool.map(work, range(8)) == list(range(8))\n"
        "        pool.close()\n"
        "        pool.join()\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        pool.apply(len, ((),))\n"
    )
    environment = {**os.environ, "OBS_SERVICE": "shop", "OBS_OTLP_ENDPOINT": collector.url}
    done = subprocess.run(
        [sys.executable, str(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(collector.names()) == sorted(f"task {number}" for number in range(8))


def test_a_second_sigterm_does_not_cut_the_delivery_short(collector: Any) -> None:
    body = (
        "from obs.runtime import exits\n"
        "flush = exits._flush\n"
        "def slow():\n"
        "    time.sleep(1)\n"
        "    flush()\n"
        "exits._flush = slow\n" + _SPAN + "for _ in range(3): os.kill(os.getpid(), signal.SIGTERM)\n"
        "for _ in range(1000): time.sleep(0.01)\n"
    )
    done = run(script(collector, body))
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
    assert collector.names() == ["last"]


def test_a_signal_that_a_main_thread_about_to_wait_overlooks_is_sent_again(collector: Any) -> None:
    body = (
        "from obs.runtime import exits\n"
        "kill, sent = os.kill, []\n"
        "def lossy(pid, number):\n"
        "    sent.append(number)\n"
        "    if len(sent) > 1: kill(pid, number)\n"
        "os.kill, exits._WAIT = lossy, 0\n"
        "kill(os.getpid(), signal.SIGTERM)\n"
        "time.sleep(20)\n"
    )
    done = run(script(collector, body))
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")


def test_a_child_that_is_terminated_in_the_moment_of_its_birth_dies(collector: Any) -> None:
    # What a handler in Python has not seen yet is forgotten in a new child; here the signal is sent by the
    # forking thread itself, before the child can have done anything.
    body = (
        "for _ in range(100):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        # Not one long wait: Python may overlook a signal in the moment before it begins.
        "        for _ in range(1000): time.sleep(0.01)\n"
        "        os._exit(0)\n"
        "    os.kill(pid, signal.SIGTERM)\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM\n"
    )
    done = run(script(collector, body))
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_parent_has_queued_is_delivered_once_and_a_fork_finds_no_thread(collector: Any) -> None:
    body = (
        "from obs.runtime.otel import queue\n"
        # However long it takes to send what waits at a fork: what is cut off there is sent a second time.
        "queue._FORK_SEND = 60\n"
        "for number in range(20):\n"
        "    with obs.span('parent'): pass\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        with obs.span('child'): pass\n"
        "        os._exit(0 if obs.flush(10) else 3)\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
    )
    # Python 3.12 and later warn of a fork beside threads: as an error that would be swallowed, as a
    # warning it becomes a line of our log.
    done = run(script(collector, body), warnings="always")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (collector.names().count("parent"), collector.names().count("child")) == (20, 20)


def test_a_fork_during_the_exporters_first_import_leaves_the_child_able_to_export_and_sends_nothing_twice(
    collector: Any, behaviour: Any, tmp_path: Path
) -> None:
    # It is on its way only when the import is over, and not there at once.
    collector.next(behaviour(delay=0.2))
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(3)\n")
    body = (
        "from obs.runtime.otel import queue as module\n"
        "from obs.runtime.setup import PARTS\n"
        "module._FORK_SEND = 2\n"
        "queue = next(part for part in PARTS if part.name == 'traces').traces._queue\n"
        "make = queue._make\n"
        "def slowly():\n"
        "    import slow\n"
        "    return make()\n"
        "queue._make = slowly\n"
        "with obs.span('parent'): pass\n"
        "import threading\n"
        "threading.Thread(target=obs.flush, args=(10,)).start()\n"
        "while not queue._importing: time.sleep(0)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    with obs.span('child'): pass\n"
        "    os._exit(0 if obs.flush(10) else 3)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script(collector, body)],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(collector.names()) == ["child", "parent"]
