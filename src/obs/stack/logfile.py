"""Read the end of a log without reading all of it."""

from __future__ import annotations

import os
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
