"""A transcript: commands, their exact output and exit codes, and the files they start from.

Form of a ``.txt`` file::

    $ obs catalogue show job.run
    error: unknown signal 'job.run'
      hint: did you mean 'job.runs'?
    [exit 2]
    -- spec.yml --
    version: obs/v1

Output and errors stand together in the order in which they were written. `[exit 0]` is left out.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

#: Runs `obs` with these words in a folder; returns what it wrote and its exit code.
Run: TypeAlias = Callable[[Sequence[str], Path], "tuple[str, int]"]
_FILE = re.compile(r"^-- (?P<name>\S+) --$", re.MULTILINE)


def split(text: str) -> tuple[str, dict[str, str]]:
    """Return the session and the input files of a transcript."""
    parts = _FILE.split(text)
    return parts[0], dict(zip(parts[1::2], (part.lstrip("\n") for part in parts[2::2]), strict=True))


def commands(session: str) -> list[str]:
    """Return the command lines of a session."""
    return [line[2:] for line in session.splitlines() if line.startswith("$ ")]


def environment() -> dict[str, str]:
    """Return the variables that a command sees: none that would change what it says.

    Of the programs of this machine it finds none, only those that a transcript brings under ``programs/``.
    """
    kept = {"HOME": os.environ["HOME"]} if "HOME" in os.environ else {}
    own = {"PATH": "programs", "OBS_HOME": "home"}
    return {**kept, **own, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONUTF8": "1"}


def replay(session: str, files: dict[str, str], directory: Path, run: Run) -> str:
    """Run the commands of `session` in `directory` and return the session as it came out."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        if content.startswith("#!"):
            path.chmod(0o755)
    return "".join(_said(command, directory, run) for command in commands(session))


def _said(command: str, directory: Path, run: Run) -> str:
    words = shlex.split(command)
    assert words[0] == "obs", f"a transcript runs obs only, not {words[0]!r}"
    output, code = run(words[1:], directory)
    output = output.replace(str(directory), "DIR")
    if output and not output.endswith("\n"):
        output += "\n"
    ending = f"[exit {code}]\n" if code else ""
    return f"$ {command}\n{output}{ending}"
