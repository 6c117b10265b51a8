"""On which ports a container can be reached from outside of itself, told by the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"
#: Ends of ::1 and of a loopback address of IPv4, written as the kernel does: words of four bytes, the last byte first.
_LOOPBACK = ("00000000000000000000000001000000", "7F")


def beyond_loopback(pid: int) -> set[int]:
    """Return the ports of TCP on which the network of the container with this first process listens.

    The engine has processes of its own numbering: `pid` is what it tells.
    """
    [process] = [one for one in _processes() if _numbers(one)[1:] == [pid, 1]]
    found: set[int] = set()
    for table in ("tcp", "tcp6"):
        for line in (process / "net" / table).read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            address, _, port = local.partition(":")
            if state == _LISTEN and not address.endswith(_LOOPBACK):
                found.add(int(port, 16))
    return found


def _processes() -> Iterator[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def _numbers(process: Path) -> list[int]:
    """Return the numbers of a process, from ours inwards; none for one that has just ended."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return []
    return [int(number) for line in lines if line.startswith("NSpid:") for number in line.split()[1:]]
