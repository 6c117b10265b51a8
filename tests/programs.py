"""Small programs that tests put in the place of real ones."""

from __future__ import annotations

import shlex
import sys
import textwrap
from pathlib import Path


def write_program(path: Path, source: str) -> Path:
    """Make an executable Python program.

    The first line of a script holds no interpreter whose path has a space or is long, so a shell, which holds
    any, starts it. To Python the shell's line is a string.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f"#!/bin/sh\n'''exec' {shlex.quote(sys.executable)} \"$0\" \"$@\"\n'''\n"
    path.write_text(start + textwrap.dedent(source))
    path.chmod(0o755)
    return path
