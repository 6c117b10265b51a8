"""Write a file whole or not at all: who reads it at any moment, or after a full disk, sees no half of it."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write `text` into the file and leave nothing else behind.

    With a `mode` nobody has more rights than that at any moment; else they are as the mask of this process says.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            if mode is not None:
                os.fchmod(descriptor, mode)
            opened.write(text)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
