"""Read the end of a log without reading all of it, and what comes after."""

from __future__ import annotations

import codecs
import os
import time
from collections.abc import Iterator
from pathlib import Path

_WINDOW = 1 << 18


def tail(path: Path, lines: int, *, indent: str = "") -> str:
    """Return the last `lines` lines of the file, without a trailing newline; at most its last 256 KiB."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _WINDOW), os.SEEK_SET)
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        text = ""
    kept = text.splitlines()[-lines:] if lines > 0 else []
    return "\n".join(indent + line for line in kept) or f"{indent}(empty)"


def follow(path: Path, *, every: float = 0.5) -> Iterator[str]:
    """Yield what is written to the file from now on, looked for `every` so many seconds, until the file is gone.

    A file that was emptied is read from its beginning, and so is one that has taken its place.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    file = path.open("rb")
    try:
        file.seek(0, os.SEEK_END)
        while True:
            yield decoder.decode(file.read())
            time.sleep(every)
            now = path.stat()
            if now.st_ino != os.fstat(file.fileno()).st_ino:
                yield decoder.decode(file.read())
                file.close()
                file = path.open("rb")
            elif now.st_size < file.tell():
                file.seek(0)
    except FileNotFoundError:
        return
    finally:
        file.close()
