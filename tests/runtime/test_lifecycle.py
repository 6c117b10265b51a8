"""init, init again, shutdown: from anywhere, at once, and back to a process as it was."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime.parts.part import Part
from obs.runtime.settings_table import TABLE
from obs.runtime.setup import PARTS


def state() -> dict[str, Any]:
    """Return everything of the process that obs touches, once the collector of the test is at rest."""
    # It lives in this process too, and closes its connections when it gets to it.
    ends = time.monotonic() + 10
    while any("process_request" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < ends
        time.sleep(0.01)
    # What earlier tests have left to the garbage collector is closed when it comes by, not when we look.
    gc.collect()
    return {
        "threads": {thread.name for thread in threading.enumerate() if thread.name.startswith("obs")},
        "descriptors": len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0,
        "handlers": list(logging.root.handlers),
        "level": logging.root.level,
        "signals": [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)],
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
        "finders": [finder for finder in sys.meta_path if not type(finder).__module__.startswith("six")],
        "warnings": logging.getLogger("py.warnings").handlers[:],
        "showwarning": sys.modules["warnings"].showwarning,
    }


def _comes_back_to(before: dict[str, Any]) -> bool:
    """Tell whether the process is as it was; libraries of other tests may close files of theirs in threads meanwhile."""
    ends = time.monotonic() + 10
    while not _is_left_as(before, now := state()):
        assert time.monotonic() < ends, (before, now)
        time.sleep(0.05)
    return True


def _is_left_as(before: dict[str, Any], now: dict[str, Any]) -> bool:
    # Fewer descriptors are not our doing: those files were open before us.
    return now["descriptors"] <= before["descriptors"] and now == {
        **before,
        "descriptors": now["descriptors"],
    }


def test_shutdown_leads_back_to_a_process_as_it_was(collector: Any) -> None:
    # The first run loads modules, which stay, and with them what they keep open.
    for _ in range(2):
        before = state()
        obs.init("shop", otlp_endpoint=collector.url, log_level="critical")
        with obs.span("work"):
            obs.log.info("x")
        assert obs.flush(10)
        assert obs.shutdown(10)
    assert _comes_back_to(before)
    assert obs.status().skipped == {"obs": "init() has not run"}


def test_a_process_may_begin_and_end_many_times(collector: Any) -> None:
    for number in range(30):
        obs.init("shop", otlp_endpoint=collector.url, log_level="critical")
        with obs.span(f"run {number}"):
            pass
        assert obs.shutdown(10)
    assert len(collector.names()) == 30
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("obs")]


def test_many_threads_may_begin_at_once(collector: Any) -> None:
    handlers = len(logging.root.handlers)
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: obs.init("shop", otlp_endpoint=collector.url, log_level="critical"), range(32))
        )
    assert all(status.running for status in found)
    assert len(logging.root.handlers) == handlers + 1


def test_spans_made_while_others_begin_and_end_raise_nothing(collector: Any) -> None:
    over = threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while not over.is_set():
                with obs.span("x", {"a": 1}) as span, obs.bind(b=2):
                    span.set(c=3)
                    obs.inject({})
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for ratio in (1.0, 0.0, 0.5) * 2:
        obs.init("shop", otlp_endpoint=collector.url, log_level="critical", traces_ratio=ratio)
        obs.shutdown(1)
    over.set()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_running_event_loop_is_no_obstacle(collector: Any) -> None:
    async def main() -> None:
        obs.init("shop", otlp_endpoint=collector.url, log_level="critical")
        async with obs.span("inside"):
            await asyncio.sleep(0)
        assert await asyncio.to_thread(obs.flush, 10)

    asyncio.run(main())
    assert collector.names() == ["inside"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_may_begin_by_itself_or_go_over_to_other_settings(collector: Any) -> None:
    code = (
        "import os, obs\n"
        f"url = {collector.url!r}\n"
        "def child(name, **settings):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        obs.init('shop', otlp_endpoint=url, **settings)\n"
        "        with obs.span(name): pass\n"
        "        os._exit(0 if obs.shutdown(10) else 3)\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
        "child('before')\n"
        "obs.init('shop', otlp_endpoint=url)\n"
        "child('same')\n"
        "child('other', span_batch=7)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(collector.names()) == ["before", "other", "same"]


def test_a_change_that_does_not_concern_spans_keeps_those_that_wait(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, log_level="critical")
    with obs.span("waiting"):
        pass
    obs.init("shop", otlp_endpoint=collector.url, log_level="error")
    assert collector.deliveries == []
    obs.init("shop", otlp_endpoint=collector.url, log_level="error", span_batch=7)
    assert collector.names() == ["waiting"]


def test_the_part_of_traces_names_every_setting_that_it_reads() -> None:
    (part,) = (part for part in PARTS if part.name == "traces")
    folder = Path(obs.__file__).parent / "runtime" / "otel"
    names = {row.name for row in TABLE}
    own = [path for path in folder.glob("*.py") if not path.name.startswith(("log", "push"))]
    read = {
        name for path in own for name in re.findall(r"settings\.([a-z_]+)", path.read_text()) if name in names
    }
    assert read <= set(part.settings)


class _Broken(Part):
    name = "broken"

    def __init__(self) -> None:
        self.refuses = True

    def start(self, settings: Any) -> None:
        if self.refuses:
            raise ConfigError("broken part")

    def stop(self, timeout: float) -> bool:
        raise RuntimeError("cannot stop either")

    def flush(self, timeout: float) -> bool:
        raise RuntimeError("nor flush")

    def describe(self, report: Any) -> None:
        report.on.append(self.name)


def test_an_init_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = state()
    monkeypatch.setattr("obs.runtime.setup.PARTS", (*PARTS, _Broken()))
    with pytest.raises(ConfigError, match="broken part"):
        obs.init("shop")
    assert not obs.status().running
    assert _comes_back_to(before)


def test_a_change_that_fails_keeps_the_old_settings(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    part = _Broken()
    part.refuses = False
    monkeypatch.setattr("obs.runtime.setup.PARTS", (*PARTS, part))
    obs.init("shop", log_level="critical")
    part.refuses = True

    def start_once(settings: Any) -> None:
        part.refuses = False
        monkeypatch.setattr(part, "start", lambda settings: None)
        raise ConfigError("broken part")

    monkeypatch.setattr(part, "stop", lambda timeout: True)
    monkeypatch.setattr(part, "start", start_once)
    with pytest.raises(ConfigError, match="broken part"):
        obs.init("shop", log_level="debug")
    settings = obs.status().settings
    assert settings is not None
    assert settings.log_level == "critical"
    obs.log.info("hidden")
    assert capfd.readouterr().out == ""
    with obs.span("x"):
        assert obs.ids().trace_id


def test_a_part_that_fails_at_the_end_keeps_no_other_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    part = _Broken()
    part.refuses = False
    monkeypatch.setattr("obs.runtime.setup.PARTS", (*PARTS, part))
    handlers = list(logging.root.handlers)
    obs.init("shop", log_level="critical")
    assert not obs.flush(1)
    assert not obs.shutdown(1)
    assert logging.root.handlers == handlers


def test_the_part_that_stops_first_leaves_the_others_their_time() -> None:
    # All share one deadline, so the sum of what they wait for is bounded by it.
    obs.init("shop", log_level="critical")
    assert obs.flush(0)
    assert obs.shutdown(0)
