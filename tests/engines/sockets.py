"""The sockets of a process, as the kernel tells them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def sockets_of(pid: int | None) -> set[str]:
    """Return the inodes of the sockets that a process has open.

    Of what it opens and closes all the time some are gone between the listing and the look.
    """
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            links.append(str(entry.readlink()))
    return {link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:")}
