"""Which processes serve as one: workers of one server, children of one parent.

A group is a private folder named after its leader: the process that all others were forked from, or
that started them by `multiprocessing`. Whoever is in it holds a lock on a file of its own for as long
as it lives, which the kernel releases however it ends.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

with suppress(ImportError):
    import fcntl

_PROC = Path("/proc")
#: Flag of a process that was forked and has not started another program since (Linux, PF_FORKNOEXEC).
_FORKED = 0x40
#: File that is locked to read the group's files (shared) or to replace them (exclusive).
_LOCK = "group.lock"
_SCRAPED = "scraped"
#: Ends of the names of a process's files: it is known by the one, and holds its lock on the other.
VALUES = ".values"
INDEX = ".index"
#: How many times a folder that another process removes meanwhile is made again.
_ATTEMPTS = 5


class Process(NamedTuple):
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    #: Clock ticks from the system's start to its own.
    started: int


class _Stat(NamedTuple):
    parent: int
    flags: int
    started: int
    state: str


def possible() -> bool:
    """Return whether this system has what a group needs."""
    return "fcntl" in globals() and hasattr(os, "posix_fallocate") and _stat(os.getpid()) is not None


def leader() -> Process | None:
    """Return the process that this one works for; None when it works for itself.

    Servers that fork their workers (gunicorn, celery) need not be known by name: the kernel knows
    who was forked without starting another program, and by whom. Children that were started afresh
    (uvicorn's workers, the methods spawn and forkserver) know their parent from `multiprocessing`.
    """
    found = _origin(_starter())
    return None if found == os.getpid() else _process(found)


def itself() -> Process | None:
    """Return this process."""
    return _process(os.getpid())


def _starter() -> int:
    """Return the process that started this one by `multiprocessing`; itself where none did."""
    pid = os.getpid()
    started = sys.modules.get("multiprocessing.process")
    if started is None:
        return pid
    parent = started.parent_process()
    if parent is not None:
        return parent.pid or pid
    if getattr(started.current_process(), "_inheriting", False):
        # It is importing the main module for the sake of a child, before it is told whose child that is.
        fresh = _origin(pid)
        now = _stat(fresh)
        if now is not None and _same_program(fresh, now.parent):
            return now.parent
    return pid


def _origin(pid: int) -> int:
    """Return the process that `pid` was forked from, through however many others; itself where it was not."""
    while (now := _stat(pid)) is not None and now.flags & _FORKED and _same_program(pid, now.parent):
        pid = now.parent
    return pid


def _process(pid: int) -> Process | None:
    now = _stat(pid)
    return None if now is None else Process(pid, now.started)


def _same_program(pid: int, parent: int) -> bool:
    try:
        return parent > 0 and (_PROC / str(pid) / "exe").samefile(_PROC / str(parent) / "exe")
    except OSError:
        return False


def _stat(pid: int) -> _Stat | None:
    try:
        # The command's name may hold blanks and brackets; the fields begin after the last one.
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return _Stat(int(fields[1]), int(fields[6]), int(fields[19]), fields[0].decode())
    except (OSError, ValueError, IndexError):
        return None


def _alive(process: Process) -> bool:
    now = _stat(process.pid)
    return now is not None and now.started == process.started and now.state != "Z"


def _key(purpose: str, process: Process) -> str:
    """Return a folder's name: processes of other containers or boots may have the same numbers."""
    marks = [purpose]
    with suppress(OSError):
        marks.append((_PROC / "sys/kernel/random/boot_id").read_text().strip())
        marks.append(str((_PROC / "self/ns/pid").readlink()))
    digest = hashlib.sha256("\0".join(marks).encode()).hexdigest()[:12]
    return f"{process.pid}-{process.started}-{digest}"


def _base(wanted: str) -> Path:
    """Return a folder that only this user can see into; raises OSError when there is none."""
    problem: OSError = FileNotFoundError(errno.ENOENT, "no folder for metrics")
    for folder in _bases(wanted):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            found = folder.lstat()
        except OSError as error:
            problem = error
            continue
        # In a folder that everybody can write to, somebody else may have been here first.
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            return folder
        problem = PermissionError(errno.EPERM, f"{folder} is not a private folder of this user")
    raise problem


def _bases(wanted: str) -> list[Path]:
    """Return where this user's folder may be, the best place first."""
    candidates = [wanted]
    if not wanted:
        candidates = ["/dev/shm"]  # noqa: S108 - it is checked whose folder it is
        with suppress(OSError):
            candidates.insert(0, tempfile.gettempdir())
    return [Path(candidate) / f"obs-{os.geteuid()}" for candidate in candidates]


class Group:
    """The folder of a group, made when the first process needs it."""

    def __init__(self, folder: str, purpose: str, process: Process, *, led: bool) -> None:
        self._wanted, self._leader = folder, process
        #: Whether this process works for another one.
        self.has_other_leader = led
        self._name = _key(purpose, process)
        self._opened: dict[int, Path] = {}
        self._held: set[int] = set()
        #: Threads that have the group's lock for themselves, or are about to.
        self._alone: list[int] = []

    @property
    def folder(self) -> Path:
        """Return the folder, made if need be; raises OSError when that cannot be."""
        # By user, because a server may give up its rights between forking and serving.
        known = self._opened.get(os.geteuid())
        if known is None:
            base = _base(self._wanted)
            known = base / self._name
            if not known.exists():
                _sweep(base)
            self._opened[os.geteuid()] = known
        known.mkdir(mode=0o700, exist_ok=True)
        return known

    def exists(self) -> bool:
        """Return whether some process of the group has made its folder."""
        return any((base / self._name).exists() for base in _bases(self._wanted))

    def mark_scraped(self) -> None:
        """Note for the leader that the group's metrics are fetched, and need not be sent."""
        with suppress(OSError):
            (self.folder / _SCRAPED).touch(mode=0o600)

    def was_scraped(self) -> bool:
        """Return whether some process of the group has answered a scrape."""
        return self.exists() and (self.folder / _SCRAPED).exists()

    @contextmanager
    def locked(self, *, exclusive: bool = False) -> Iterator[bool]:
        """Hold the group's lock; an exclusive one is not waited for: False says it was not to be had."""
        thread = threading.get_ident()
        interrupted = thread in self._alone
        if exclusive:
            # Known before it is so: a signal handler that reads must not wait for the thread it interrupts.
            self._alone.append(thread)
        descriptor = None
        try:
            descriptor = self._lock(exclusive=exclusive, wait=not exclusive and not interrupted)
            yield descriptor is not None
        finally:
            if descriptor is not None:
                self._drop(descriptor)
            if exclusive:
                with suppress(ValueError):
                    self._alone.remove(thread)

    def _lock(self, *, exclusive: bool, wait: bool) -> int | None:
        for _ in range(_ATTEMPTS):
            path = self.folder / _LOCK
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                continue
            self._held.add(descriptor)
            how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
            try:
                fcntl.flock(descriptor, how if wait else how | fcntl.LOCK_NB)
            except BlockingIOError:
                self._drop(descriptor)
                return None
            with suppress(OSError):
                if path.stat().st_ino == os.fstat(descriptor).st_ino:
                    return descriptor
            self._drop(descriptor)
        raise FileNotFoundError(errno.ENOENT, "the group's folder is removed again and again")

    def _drop(self, descriptor: int) -> None:
        # In the child of a fork it is closed already.
        if descriptor in self._held:
            self._held.discard(descriptor)
            unlock(descriptor)

    def forget_locks(self) -> None:
        """Close, in a forked child, the locks that threads of the parent were holding."""
        for descriptor in list(self._held):
            with suppress(OSError):
                os.close(descriptor)
        self._held.clear()
        self._alone.clear()

    def names(self) -> list[str]:
        """Return the names of all processes that have files here, dead ones included."""
        return sorted(path.name.removesuffix(VALUES) for path in self.folder.glob(f"*{VALUES}"))

    def is_alive(self, name: str) -> bool:
        """Return whether the process with `name` still holds its lock."""
        return is_locked(self.folder / f"{name}{INDEX}")

    def leave(self) -> None:
        """Remove the folder when nobody is left who could need it."""
        with self.locked(exclusive=True) as alone:
            if not alone or (self._leader.pid != os.getpid() and _alive(self._leader)):
                return
            if not any(self.is_alive(name) for name in self.names()):
                shutil.rmtree(self.folder, ignore_errors=True)


def new_name() -> str:
    """Return a name for the files of this process."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def pid_of(name: str) -> int:
    """Return the process that `new_name` was called in."""
    return int(name.partition("-")[0])


def hold(descriptor: int) -> None:
    """Lock an open file for as long as this process keeps it open."""
    # Who asks whether it is locked has a lock on it too, for a moment.
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def unlock(descriptor: int) -> None:
    """Close a file and give up the lock on it."""
    # Said explicitly: a child that was forked meanwhile has the same lock open, for as long as it lives.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Return whether some process holds the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        unlock(descriptor)
    return False


def _sweep(base: Path) -> None:
    """Remove the folders of groups that have ended without doing so themselves."""
    for folder in _others(base):
        pid, _, rest = folder.name.partition("-")
        started = rest.partition("-")[0]
        if not pid.isdigit() or not started.isdigit() or _alive(Process(int(pid), int(started))):
            continue
        with suppress(OSError):
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not any(is_locked(path) for path in folder.glob(f"*{INDEX}")):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                unlock(descriptor)


def _others(base: Path) -> Iterable[Path]:
    with suppress(OSError):
        return [path for path in base.iterdir() if path.is_dir()]
    return []
