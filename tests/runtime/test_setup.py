"""init, status, flush, shutdown."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import obs
from obs.errors import ConfigError, ObsError
from obs.runtime.parts.metrics import MetricsPart

Lines = Callable[[], list[dict[str, Any]]]


def test_without_a_service_anywhere_init_refuses() -> None:
    with pytest.raises(ObsError, match="no service name"):
        obs.init()
    assert not obs.status().running


def test_the_service_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "checkout")
    settings = obs.init().settings
    assert settings is not None
    assert (settings.service, settings.sources["service"]) == ("checkout", "OTEL_SERVICE_NAME")


def test_a_misspelt_setting_is_refused_with_the_nearest_match() -> None:
    with pytest.raises(ConfigError) as caught:
        obs.init("shop", log_lvl="info")
    assert caught.value.hint == "did you mean 'log_level'?"


def test_a_second_equal_init_does_nothing(lines: Lines) -> None:
    handler_count = len(logging.root.handlers)
    first = obs.init("shop")
    handle = obs.counter("test.kept")
    handle.inc()
    second = obs.init("shop")
    assert first == second
    assert second.notes == ()
    assert len(logging.root.handlers) == handler_count + 1
    logging.getLogger("x").warning("once")
    assert len(lines()) == 1


def test_a_different_init_reconfigures_and_says_what_changed(lines: Lines) -> None:
    obs.init("shop")
    obs.log.debug("hidden")
    status = obs.init("shop", log_level="debug")
    assert status.notes == ("reconfigured: log_level: info -> debug",)
    obs.log.debug("seen")
    assert [line["message"] for line in lines()] == ["seen"]


def test_a_change_that_leaves_metrics_alone_keeps_their_values() -> None:
    from obs.runtime.setup import PARTS

    obs.init("shop")
    (part,) = (found for found in PARTS if isinstance(found, MetricsPart))
    before = part.metrics
    obs.init("shop", log_level="debug")
    assert part.metrics is before
    assert "metrics began again at zero" in obs.init("shop", dialect="classic").notes


def test_status_says_what_is_on_and_what_is_skipped_and_why() -> None:
    assert obs.status().skipped == {"obs": "init() has not run"}
    status = obs.init("shop", logs=False)
    assert status.running
    assert set(status.on) == {"metrics", "traces"}
    assert set(status.skipped) == {"logs", "error events", "trace export"}


def test_status_reads_as_sentences_one_fact_a_line() -> None:
    assert str(obs.status()) == "obs is off\n  skipped: obs (init() has not run)"

    assert str(obs.init("shop", logs=False)) == (
        "obs is on for shop\n"
        "  on: metrics\n"
        "  on: traces\n"
        "  skipped: logs (setting logs is false)\n"
        "  skipped: error events (no sentry_dsn is set; exceptions are logged and counted)\n"
        "  skipped: trace export (no OTLP endpoint is set; spans have ids and are not exported)"
    )


def test_shutdown_gives_standard_logging_back_and_may_be_repeated() -> None:
    handlers, level = list(logging.root.handlers), logging.root.level
    obs.init("shop")
    assert obs.shutdown(30)
    assert obs.shutdown(30)
    assert (logging.root.handlers, logging.root.level) == (handlers, level)


def test_everything_of_the_face_is_safe_before_init_and_after_shutdown() -> None:
    def use_all() -> None:
        obs.counter("test.safe", labels=("a",)).inc(a="x")
        obs.gauge("test.safe_gauge").set(1)
        obs.histogram("test.safe_time").observe(1)
        obs.log.debug("x", a=1)
        with obs.bind(a=1), obs.span("s"), obs.job("j"):
            obs.inject({})
        assert obs.ids() == ("", "", "")
        assert obs.flush(30)

    use_all()
    obs.init("shop")
    obs.shutdown()
    use_all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("how", ["os.fork", "multiprocessing"])
def test_a_forked_child_logs_and_exports(collector: Any, how: str) -> None:
    start = {
        "os.fork": (
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    work(); ok = obs.flush(5); os._exit(0 if ok else 3)\n"
            "assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
        ),
        "multiprocessing": (
            "import multiprocessing as mp\n"
            "child = mp.get_context('fork').Process(target=work)\n"
            "child.start(); child.join(20); assert child.exitcode == 0\n"
        ),
    }[how]
    code = (
        "import os, obs\n"
        f"obs.init('shop', otlp_endpoint={collector.url!r})\n"
        "with obs.span('parent'): pass\n"
        "assert obs.flush(30)\n"
        "def work():\n"
        "    with obs.span('child'): obs.log.info('from the child')\n"
        f"{start}"
        "with obs.span('parent again'): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("from the child") == 1
    assert sorted(collector.names()) == ["child", "parent", "parent again"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_children_forked_while_threads_log_never_hang() -> None:
    code = (
        "import os, sys, threading, time, obs\n"
        "obs.init('shop')\n"
        "count = obs.counter('test.fork', labels=('n',))\n"
        "stop = False\n"
        "def work():\n"
        "    while not stop:\n"
        "        with obs.span('s'): obs.log.info('x'); count.inc(n='1')\n"
        "threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]\n"
        "[thread.start() for thread in threads]\n"
        "sys.setswitchinterval(1e-5)\n"
        "for _ in range(40):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        for _ in range(10): obs.log.info('child'); count.inc(n='2')\n"
        "        os._exit(0)\n"
        "    ends = time.monotonic() + 20\n"
        "    while os.waitpid(pid, os.WNOHANG)[0] == 0:\n"
        "        if time.monotonic() > ends: os.kill(pid, 9); sys.exit('a child hung')\n"
        "        time.sleep(0.001)\n"
        "stop = True\n"
        "[thread.join(5) for thread in threads]\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
