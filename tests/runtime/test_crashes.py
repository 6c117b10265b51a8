"""Exceptions that nobody handled: one line, one count, wherever Python learns of them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import obs
from obs.catalogue import exceptions
from obs.runtime import tally
from obs.runtime.crashes import unhandled
from obs.runtime.redaction import MASK
from obs.testing import readings

Lines = Callable[[], list[dict[str, Any]]]


def _run(script: str, *, code: int = 0, **settings: str) -> tuple[list[dict[str, Any]], str]:
    """Run `script` in a process of its own after `obs.init`; return its lines and its errors."""
    done = subprocess.run(
        [sys.executable, "-c", f"import obs, sys\nobs.init('shop', traces=False)\n{script}"],
        capture_output=True, text=True, check=False, timeout=60, env={"PATH": "", **settings},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def _counted(mechanism: str) -> float:
    """Return the count of a mechanism, as a scrape shows it; -1 where it has no series."""
    return next(
        (
            reading.value
            for reading in readings.scrape()
            if reading.name == exceptions.UNHANDLED.metric and reading.labels == {"mechanism": mechanism}
        ),
        -1.0,
    )


def _raised(message: str = "no") -> BaseException:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        raise ValueError(message)
    return caught.value


def test_an_exception_is_told_once_however_many_layers_it_passes(lines: Lines) -> None:
    obs.init("shop", traces=False)
    error = _raised("password=hunter2x")
    unhandled(error, "http", "unhandled exception in GET /x", event="http.exception")
    unhandled(error, "main", "unhandled exception")
    (line,) = lines()
    assert (line["level"], line["event"]) == ("error", "http.exception")
    assert "ValueError" in line["exception"]
    assert "hunter2x" not in line["exception"]


def test_every_mechanism_is_counted_from_zero() -> None:
    obs.init("shop", traces=False, log_level="critical")
    assert [_counted(mechanism) for mechanism in exceptions.MECHANISMS] == [0.0] * 9
    unhandled(_raised(), "task", "no")
    again = _raised()
    unhandled(again, "task", "no")
    unhandled(again, "main", "no")
    assert (_counted("task"), _counted("main")) == (2.0, 0.0)


def test_the_same_object_raised_in_another_trace_is_news(lines: Lines) -> None:
    obs.init("shop", metrics=False)
    error = _raised()
    for _ in range(2):
        with obs.span("request"):
            unhandled(error, "http", "no")
            unhandled(error, "main", "no")
    assert len(lines()) == 2


def test_an_exception_that_lets_nothing_be_set_on_it_is_told_once(lines: Lines) -> None:
    class Frozen(Exception):
        __slots__ = ()

        def __setattr__(self, name: str, value: object) -> None:
            raise TypeError(name)

    obs.init("shop", metrics=False, traces=False)
    error = Frozen()
    unhandled(error, "http", "no")
    unhandled(error, "http", "no")
    assert len(lines()) == 1


def test_reporting_never_raises() -> None:
    class Rude(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    obs.init("shop", traces=False)
    unhandled(Rude(), "main", "no", value=Rude())
    assert obs.capture(Rude()) is None
    assert obs.capture() is None
    assert obs.capture("text") is None  # type: ignore[arg-type]
    assert tally.count("errors", "crashes") == 2
    obs.shutdown(0)
    unhandled(_raised(), "main", "no")


def test_a_handled_exception_gets_a_line_with_its_tags_once(lines: Lines) -> None:
    obs.init("shop", traces=False)
    try:
        dict[str, int]()["no"]
    except KeyError as error:
        ids = [obs.capture(attempt=2, token="hunter2x"), obs.capture(error)]  # noqa: S106
        unhandled(error, "main", "and then it was not")
    assert ids == [None, None]
    (line,) = lines()
    assert (line["attempt"], line["token"]) == (2, MASK)
    assert "KeyError" in line["exception"]
    assert _counted("main") == 1.0


def test_an_exception_that_ends_the_process_is_a_line_and_no_plain_traceback() -> None:
    (line,), errors = _run("raise ValueError('Bearer hunter2x')", code=1)
    assert (line["level"], line["event"]) == ("error", "exception.main")
    assert line["exception"].endswith(f"ValueError: Bearer {MASK}")
    assert errors == ""


def test_a_hook_of_the_host_is_called_after_ours() -> None:
    script = "import sys\nsys.excepthook = lambda *_: print('mine', file=sys.stderr)\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}import obs\nobs.init('shop', traces=False)\nraise ValueError"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout)["event"] == "exception.main"
    assert done.stderr == "mine\n"


@pytest.mark.parametrize("settings", [{"OBS_LOGS": "false"}, {"OBS_LOG_LEVEL": "critical"}])
def test_without_a_line_python_tells_the_traceback_itself(settings: dict[str, str]) -> None:
    written, errors = _run("raise ValueError('no')", code=1, **settings)
    assert written == []
    assert "ValueError: no" in errors


@pytest.mark.parametrize(("script", "code"), [("raise SystemExit(3)", 3), ("raise KeyboardInterrupt", -2)])
def test_what_ends_a_process_on_purpose_is_no_crash(script: str, code: int) -> None:
    written, _ = _run(script, code=code)
    assert written == []


def test_an_exception_in_a_thread_is_told_with_the_thread() -> None:
    script = "import threading\nthreading.Thread(target=lambda: 1/0, name='work').start()"
    (line,), errors = _run(script)
    assert (line["event"], line["thread"]) == ("exception.thread", "work")
    assert "ZeroDivisionError" in line["exception"]
    assert errors == ""


def test_an_exception_that_cannot_be_raised_is_told() -> None:
    script = "class A:\n  def __del__(self): raise ValueError('no')\nA()"
    (line,), errors = _run(script)
    assert line["event"] == "exception.unraisable"
    assert "__del__" in line["object"]
    assert errors == ""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_exception_that_a_loop_reports_is_told_once(loop: str) -> None:
    script = (
        f"import asyncio, gc, {loop}\n"
        "async def fail(): raise ValueError('no')\n"
        "async def main():\n"
        "    asyncio.get_running_loop().call_soon(lambda: 1/0)\n"
        "    asyncio.ensure_future(fail())\n"
        "    await asyncio.sleep(0.01)\n"
        "    gc.collect()\n"
        f"loop = {loop}.new_event_loop()\n"
        "loop.run_until_complete(main())\n"
        "loop.close()"
    )
    written, errors = _run(script)
    assert sorted(line["exception"].rpartition("\n")[2] for line in written) == [
        "ValueError: no",
        "ZeroDivisionError: division by zero",
    ]
    assert {line["event"] for line in written} == {"exception.asyncio"}
    assert errors == ""


def test_a_handler_of_the_hosts_loop_has_handled_it(lines: Lines) -> None:
    obs.init("shop", traces=False)
    seen: list[object] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, details: seen.append(details))
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert len(seen) == 1
    assert lines() == []


def test_the_hooks_are_put_back() -> None:
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    obs.init("shop")
    obs.init("shop", log_level="debug")
    assert sys.excepthook != before[0]
    obs.shutdown(0)
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_a_hook_put_over_ours_stays_and_ours_goes_quiet(
    monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    seen: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _, error, __: seen.append(error))
    obs.init("shop")
    ours = sys.excepthook

    def theirs(kind: Any, error: BaseException, trace: Any) -> None:
        ours(kind, error, trace)

    sys.excepthook = theirs
    obs.shutdown(0)
    assert sys.excepthook is theirs
    lines()
    error = _raised()
    theirs(type(error), error, error.__traceback__)
    assert seen == [error]
    assert lines() == []


def test_a_thread_hook_without_an_exception_is_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    obs.init("shop", logs=False)
    args = SimpleNamespace(exc_type=ValueError, exc_value=None, exc_traceback=None, thread=None)
    threading.excepthook(args)  # type: ignore[arg-type]
    assert seen == [args]


def test_a_test_is_shown_each_event_once_and_without_secrets() -> None:
    from obs.testing import capture

    with capture(service="shop") as telemetry, obs.bind(order=7):
        error = _raised("token=hunter2xyz")
        assert [obs.capture(error, attempt=1), obs.capture(error)] == [None, None]
        obs.audit("LOGIN", "site", actor="bob", password="hunter2xyz")  # noqa: S106
        telemetry.assert_error(ValueError, attempt=1, order=7, handled=True)
        telemetry.assert_audited("LOGIN", actor="bob")
        telemetry.assert_no_secrets("hunter2xyz")
        assert (len(telemetry.errors), len(telemetry.audit)) == (1, 1)
