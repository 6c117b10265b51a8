"""One process that has loaded the toolchain and forks for each command: starting costs more than most commands.

A command gets a process, a folder and output of its own, as `python -m obs` would give it. Which modules it
would have loaded by itself does not show: tests/contract asks for that.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NoReturn

_ROOMS = ("cli", "generate", "lint")
#: Ends what hangs; a machine with much else to do takes a minute for some of them.
_SECONDS = 300


class Warm:
    """Runs `obs`, again and again, in forks of one process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Warm:  # noqa: PYI034 - typing.Self is 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=_SECONDS)

    def run(self, words: Sequence[str], directory: Path) -> tuple[str, int]:
        """Run `obs` with `words` in `directory`; return what it wrote, errors among it, and its exit code."""
        asks, answers = self._process.stdin, self._process.stdout
        assert asks is not None
        assert answers is not None
        with tempfile.NamedTemporaryFile() as written:
            asks.write(json.dumps([list(words), str(directory), written.name]).encode() + b"\n")
            asks.flush()
            code = int(answers.readline())
            return written.read().decode(), code


def _load() -> None:
    for room in _ROOMS:
        package = importlib.import_module(f"obs.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _serve(asks: BinaryIO, answers: BinaryIO) -> None:
    for line in asks:
        words, directory, written = json.loads(line)
        child = os.fork()
        if not child:
            _become(words, directory, written)
        _, status = os.waitpid(child, 0)
        answers.write(b"%d\n" % os.waitstatus_to_exitcode(status))
        answers.flush()


def _become(words: list[str], directory: str, written: str) -> NoReturn:
    """Do what `python -m obs` does, and end."""
    code = 1
    try:
        signal.alarm(_SECONDS)
        nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(written, os.O_WRONLY | os.O_APPEND)
        for number, place in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(number, place)
        os.chdir(directory)
        sys.argv = ["obs", *words]
        code = importlib.import_module("obs.__main__").main()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    os._exit(code)


if __name__ == "__main__":
    _load()
    own = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(own, "wb") as spoken:
        _serve(sys.stdin.buffer, spoken)
