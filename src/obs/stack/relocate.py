"""Let a program that was compiled for one fixed directory read its files from another.

Debian's Alertmanager opens its templates below `/usr/share` and does not start without them; an
unpacked package has them elsewhere, and only root could put them there. The path in the program is
replaced by one of the same length, relative to the directory in which the program is started.
"""

from __future__ import annotations

from pathlib import Path

from obs.errors import StackError

#: What a relocated program expects in its working directory.
SHARED = "shared"


def relocate(program: Path, fixed: str) -> bool:
    """Replace the directory `fixed` in `program` by `shared`; tell whether it was in there.

    Raises:
        StackError: the path is too short to be replaced.
    """
    # "./" and doubled slashes change nothing in a path, so they fill the length up.
    steps, odd = divmod(len(fixed) - len(SHARED), 2)
    if steps < 1:
        raise StackError(f"{fixed} is too short to be relocated", where=str(program))
    relative = "./" * steps + "/" * odd + SHARED
    content = program.read_bytes()
    if fixed.encode() not in content:
        return False
    program.write_bytes(content.replace(fixed.encode(), relative.encode()))
    return True
