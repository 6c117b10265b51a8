"""The engines cache: `<home>/engines/<engine>/<version>-<route>/<engine>`, several versions side by side.

What we put together ourselves is built again when its parts change: `<version>+<build>-go`.

An entry appears whole or not at all: work is done in a directory of its own, which one rename turns
into the entry. One lock a route keeps parallel installs from doing the same work twice.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from obs.errors import StackError
from obs.stack import locking, version
from obs.stack.engine import Engine, ask_version, runs
from obs.stack.home import home
from obs.stack.progress import Report, Step
from obs.stack.relocate import SHARED
from obs.stack.table import EngineFacts, build_of
from obs.stack.version import Version


class CacheClosed(StackError):
    """The cache cannot be written: no route can bring anything into it."""


def directory() -> Path:
    """Return the directory of the engines cache, which need not exist yet."""
    return home() / "engines"


def cached(name: str, route: str | None = None) -> list[Engine]:
    """Return the installed engines called `name`, newest version first, of one `route` or of all."""
    found = []
    for entry in (directory() / name).glob("*-*"):
        text, _, came_by = entry.name.rpartition("-")
        number, _, build = text.partition("+")
        known = version.parse(number)
        program = entry / name
        if known is None or route not in (None, came_by) or not os.access(program, os.X_OK):
            continue
        if (build or "1") != str(build_of(name, came_by)):
            continue
        found.append(_engine(name, entry, known, came_by))
    return sorted(found, key=lambda engine: (engine.version, engine.route), reverse=True)


def brought(engines: Sequence[EngineFacts], route: str) -> tuple[list[Engine], list[EngineFacts]]:
    """Return what somebody else has brought by `route` while this waited for its lock, and what is missing still."""
    found: dict[str, Engine] = {}
    for facts in engines:
        for engine in cached(facts.name, route):
            if facts.name not in found and engine.version >= facts.floor and runs(engine.path):
                found[facts.name] = engine
    return list(found.values()), [facts for facts in engines if facts.name not in found]


def adopt(facts: EngineFacts, program: Path, route: str, shared: Path | None = None) -> Engine:
    """Check a freshly made `program` and move it into the cache, with the files it shares if it has any.

    Raises:
        StackError: it does not run, or its version is below the floor.
    """
    program.chmod(0o755)
    found = ask_version(program)
    if found < facts.floor:
        raise StackError(f"{facts.name} is {found}, expected at least {facts.floor}")
    build = build_of(facts.name, route)
    entry = directory() / facts.name / (f"{found}+{build}-{route}" if build > 1 else f"{found}-{route}")
    entry.parent.mkdir(parents=True, exist_ok=True)
    # Beside the program, so that both renames stay on one file system.
    whole = Path(tempfile.mkdtemp(dir=program.parent))
    whole.chmod(0o755)
    program.replace(whole / facts.name)
    if shared is not None:
        shutil.copytree(shared, whole / SHARED, copy_function=_link)
    try:
        whole.rename(entry)
    except OSError:
        # Installed before; kept unless it is what made somebody ask again.
        if not runs(entry / facts.name):
            shutil.rmtree(entry)
            whole.rename(entry)
    return _engine(facts.name, entry, found, route)


def _link(source: str, target: str) -> str:
    # Both are in the cache, and what is unpacked goes away: a second copy of half a gigabyte is of no use.
    os.link(source, target)
    return target


def _engine(name: str, entry: Path, known: Version, route: str) -> Engine:
    shared = entry / SHARED
    return Engine(name, entry / name, known, route, shared if shared.is_dir() else None)


@contextlib.contextmanager
def workspace(route: str, report: Report | None = None) -> Iterator[Path]:
    """Hold the lock of `route` and yield an empty directory on the cache's file system; it goes away after.

    What an install that was killed has left behind is removed first.

    Raises:
        CacheClosed: the cache cannot be written.
    """
    base = directory()
    try:
        base.mkdir(parents=True, exist_ok=True)
        lock = (base / f".lock-{route}").open("w")
    except OSError as error:
        raise CacheClosed(
            f"cannot write the engines cache: {error.strerror}",
            where=str(base),
            hint="set OBS_HOME to a directory that you may write",
        ) from None
    with lock:
        _wait_for(lock.fileno(), route, report)
        for leftover in base.glob(f".partial-{route}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{route}-", dir=base))
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _wait_for(descriptor: int, route: str, report: Report | None) -> None:
    if locking.take(descriptor):
        return
    step = Step(f"waiting for another install by {route}", report)
    while not locking.take(descriptor):
        time.sleep(0.2)
        step.tell()
    step.tell(finished=True)
