"""Lines for people: on a terminal, with colours only there, in an order that reads."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import obs
obs.init("shop", version="1.2", environment="test")
with obs.span("work"):
    obs.get_logger("shop.basket").warning("basket left", total=2.5, note="two\\nlines", password="p")
    try:
        1 / 0
    except ZeroDivisionError:
        obs.log.exception("failed")
obs.shutdown()
"""
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def environment(**given: str) -> dict[str, str]:
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_", "NO_COLOR"))
    }
    return {**kept, **given}


def on_terminal(**given: str) -> str:
    """Return what the program writes when its stdout is a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", CODE], stdout=slave, env=environment(**given))
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 65_536):
            text += chunk
    except OSError:
        # How Linux says that the last writer has gone.
        pass
    finally:
        os.close(master)
    assert process.wait(30) == 0
    return text.decode().replace("\r\n", "\n")


def test_on_a_terminal_lines_are_for_people_and_coloured() -> None:
    text = on_terminal()
    assert ESCAPE.search(text)
    first, *rest = ESCAPE.sub("", text).splitlines()
    assert re.match(
        r"\d\d:\d\d:\d\d\.\d{3} \[warning  \] basket left +\[shop\.basket\] total=2\.5 note='two\\nlines' "
        r"password=\[redacted\] trace_id=[0-9a-f]{32}$",
        first.strip(),
    )
    assert "failed" in rest[0]
    assert rest[1] == "Traceback (most recent call last):"
    assert rest[-1] == "ZeroDivisionError: division by zero"


def test_without_colours_when_nobody_wants_them() -> None:
    assert not ESCAPE.search(on_terminal(NO_COLOR="1"))
    # By the convention, an empty value says nothing.
    assert ESCAPE.search(on_terminal(NO_COLOR=""))


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_file_gets_json_and_on_request_lines_for_people_without_colours(
    stream: str, tmp_path: Path
) -> None:
    def written(**given: str) -> str:
        with (tmp_path / "out").open("wb") as file:
            streams = {"stdout": subprocess.DEVNULL, stream: file}
            given = environment(OBS_LOG_STREAM=stream, **given)
            subprocess.run([sys.executable, "-c", CODE], env=given, check=True, **streams)  # type: ignore[call-overload]
        return (tmp_path / "out").read_text()

    assert written().startswith('{"timestamp":')
    plain = written(OBS_LOG_FORMAT="console")
    assert "basket left" in plain
    assert not ESCAPE.search(plain)
