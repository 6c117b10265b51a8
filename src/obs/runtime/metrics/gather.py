"""What a scrape of one process shows of its whole group."""

from __future__ import annotations

import os
import struct
import threading
from contextlib import suppress
from pathlib import Path

from obs.runtime import process as kernel
from obs.runtime.metrics import compact
from obs.runtime.metrics.files import Contents, Reader
from obs.runtime.metrics.group import VALUES, Group, pid_of
from obs.runtime.metrics.merge import Sum
from obs.runtime.metrics.own import Told
from obs.runtime.metrics.store import CPU, TALLY

_NUMBER = struct.Struct("=d")


class Gatherer:
    """Reads a group again and again, and what is new only once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader = Reader()

    def gather(self, group: Group) -> tuple[Sum, Told]:
        """Return the sum over all processes of `group`, and what is to be said of them together."""
        # Two scrapes at once must not both learn the same new lines.
        with self._lock:
            return self._gather(group)

    def _gather(self, group: Group) -> tuple[Sum, Told]:
        total = Sum()
        usages: list[kernel.Usage] = []
        dead = 0
        with group.locked():
            folder, names = group.folder, group.names()
            retained = compact.read(folder)
            total.add(retained.contents, alive=False)
            for name in names:
                if name in retained.absorbed:
                    continue
                alive = group.is_alive(name)
                dead += not alive
                contents = self._reader.read(folder, name)
                if alive:
                    usage = kernel.usage(pid_of(name))
                    usages.append(usage)
                    _show(folder, name, contents, usage)
                total.add(contents, alive=alive)
            self._reader.keep_only(names)
        if dead:
            compact.compact(group, at_least=1)
        return total, _told(total, usages)


def _show(folder: Path, name: str, contents: Contents, usage: kernel.Usage) -> None:
    """Write down the CPU time that this scrape is going to show, so that it outlives the process."""
    now = {"user": usage.cpu_user, "system": usage.cpu_system}
    places = {values[0]: at for family, values, at in contents.rows if family.definition.name == CPU.name}
    with suppress(OSError):
        descriptor = os.open(folder / f"{name}{VALUES}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            for mode, at in places.items():
                seconds = now[mode]
                if seconds is not None and seconds > contents.cells[at]:
                    contents.cells[at] = seconds
                    os.pwrite(descriptor, _NUMBER.pack(seconds), at * _NUMBER.size)
        finally:
            os.close(descriptor)


def _told(total: Sum, usages: list[kernel.Usage]) -> Told:
    cpu = total.dated(CPU)
    return Told(
        {(kind, key): numbers for (kind, key), numbers in total.dated(TALLY).items()},
        kernel.add_up(usages)._replace(
            cpu_user=cpu.get(("user",), (0.0, 0.0))[0],
            cpu_system=cpu.get(("system",), (0.0, 0.0))[0],
        ),
    )
