"""One installed engine, and how its program is asked for its version."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from obs.errors import StackError
from obs.stack import version
from obs.stack.version import Version


class RouteClosed(StackError):
    """A whole route leads nowhere on this machine: asking it for another engine would only cost time."""


@dataclass(frozen=True)
class Engine:
    """A program that can be started: what it is, which version, and the route by which it came.

    `shared`, where there is one, must be found under its name in the working directory of the program.
    """

    name: str
    path: Path
    version: Version
    route: str
    shared: Path | None = None


def runs(program: Path) -> bool:
    """Tell whether `program` starts and names a version: a full disk or a power cut may have cut it short."""
    try:
        ask_version(program)
    except StackError:
        return False
    return True


def ask_version(program: Path, *, timeout: float = 10.0) -> Version:
    """Return the version that `program --version` prints, within `timeout` seconds.

    Raises:
        StackError: the program does not start, does not end, or prints no version.
    """
    try:
        done = subprocess.run(
            [str(program), "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Debian's builds of this era print the version to standard error.
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"`--version` did not end within {timeout:g} s", where=str(program)) from None
    except OSError as error:
        raise StackError(f"does not start: {error.strerror}", where=str(program)) from None
    output = done.stdout.decode(errors="replace")
    found = version.printed(output)
    if done.returncode != 0 or found is None:
        first = (output.strip().splitlines() or ["nothing"])[0][:200]
        raise StackError(
            f"`--version` ended with {done.returncode} and printed {first!r}, expected a version",
            where=str(program),
        )
    return found
