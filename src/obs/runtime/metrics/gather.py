"""What a scrape of one process shows of its whole group."""

from __future__ import annotations

import os
import struct
import threading
from contextlib import suppress
from pathlib import Path

from obs.runtime import process as kernel
from obs.runtime.metrics.compact import compact
from obs.runtime.metrics.group import VALUES, Group, pid_of
from obs.runtime.metrics.own import Told
from obs.runtime.metrics.plan import Families, Plan, Source, Sum
from obs.runtime.metrics.reader import Contents, Reader
from obs.runtime.metrics.render import Snapshot
from obs.runtime.metrics.retained import RetainedReader
from obs.runtime.metrics.store import CPU, TALLY

_NUMBER = struct.Struct("=d")


class Gatherer:
    """Reads a group again and again, and what is new only once."""

    def __init__(self) -> None:
        # Re-entrant, because a signal handler may scrape while this very thread is scraping.
        self._lock = threading.RLock()
        self._busy = False
        self._forget()

    def _forget(self) -> None:
        self._reader = Reader()
        self._retained = RetainedReader(self._reader)
        self._plan = Plan(())
        self._families: Families = ()

    def gather(self, group: Group) -> tuple[Snapshot, Told]:
        """Return the series of all processes of `group` together, and what is to be said of them together."""
        # Two scrapes at once must not both learn the same new lines.
        with self._lock:
            if self._busy:
                # Nor may one in the middle of another one: it reads everything for itself.
                return Gatherer().gather(group)
            try:
                self._busy = True
                return self._gather(group)
            except BaseException:
                # Half of something new may have been learned.
                self._forget()
                raise
            finally:
                self._busy = False

    def _gather(self, group: Group) -> tuple[Snapshot, Told]:
        usages: list[kernel.Usage] = []
        with group.locked():
            folder, names = group.folder, group.names()
            retained = self._retained.read(folder)
            sources = [Source(retained.contents, alive=False)]
            for name in names:
                if name in retained.absorbed:
                    continue
                alive = group.is_alive(name)
                contents = self._reader.read(folder, name)
                if alive:
                    usage = kernel.usage(pid_of(name))
                    usages.append(usage)
                    _show(folder, name, contents, usage)
                sources.append(Source(contents, alive))
            self._reader.keep_only(names)
        if not all(alive for _, alive in sources[1:]):
            compact(group, at_least=1)
        if not self._plan.fits(sources):
            self._plan = Plan(sources)
            self._families = self._plan.families(self._families)
        total = self._plan.add_up(sources)
        return Snapshot(self._families, total.cells, total.exemplars), _told(self._plan, total, usages)


def _show(folder: Path, name: str, contents: Contents, usage: kernel.Usage) -> None:
    """Write down the CPU time that this scrape is going to show, so that it outlives the process."""
    now = {"user": usage.cpu_user, "system": usage.cpu_system}
    places = {
        mode: at
        for family, series in contents.blocks
        if family.definition.name == CPU.name
        for (mode,), at in series.items()
    }
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


def _told(plan: Plan, total: Sum, usages: list[kernel.Usage]) -> Told:
    cpu = plan.dated(CPU, total.cells)
    return Told(
        {(kind, key): numbers for (kind, key), numbers in plan.dated(TALLY, total.cells).items()},
        kernel.add_up(usages)._replace(
            cpu_user=cpu.get(("user",), (0.0, 0.0))[0],
            cpu_system=cpu.get(("system",), (0.0, 0.0))[0],
        ),
    )
