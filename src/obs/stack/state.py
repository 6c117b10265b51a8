"""The state directory of a native stack: whose it is, one command at a time in it, and its end.

A directory is known as one by the lock file that `up` puts there first: what no stack has made is neither
overwritten nor removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from obs.errors import ConfigError, StackError
from obs.stack import locking, secret_files
from obs.stack.record import RECORD
from obs.stack.servers import SERVERS

_LOCK = ".lock"
_LOGS = "log"
#: What users make before the first start: data to begin with, and the place of their services' logs.
_THEIRS = {**dict.fromkeys(SERVERS, "data"), _LOGS: "services"}


def is_state(directory: Path) -> bool:
    """Tell whether a stack was started in this directory and not reset since.

    Raises:
        StackError: this user may not look into it.
    """
    try:
        (directory / _LOCK).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StackError(f"cannot read the state directory: {error.strerror}", where=str(directory)) from None
    return True


def require_ours(directory: Path) -> None:
    """Make sure that a stack in this directory would overwrite nothing of anybody's; data to begin with is fine.

    Raises:
        ConfigError: no stack was started in it, and something has the name of what a stack would make.
    """
    if is_state(directory):
        return
    foreign = [RECORD] if (directory / RECORD).exists() else []
    for part, theirs in _THEIRS.items():
        foreign += [f"{part}/{path.name}" for path in _inside(directory / part) if path.name != theirs]
    if foreign:
        raise ConfigError(
            f"no stack was started here, and {foreign[0]} is here already: it would be overwritten",
            where=str(directory),
            hint="choose a directory of its own with --dir",
        )


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Make the directory a state directory and keep other commands away.

    Raises:
        StackError: it cannot be written, or another command is at work in it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # For reading: servers can be stopped after a failing disk was made read-only.
        lock = os.open(directory / _LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StackError(
            f"cannot write the state directory: {error.strerror}",
            where=str(directory),
            hint="choose another with --dir",
        ) from None
    try:
        if not locking.take(lock):
            raise StackError(
                "another `obs stack` is starting or stopping the servers of this directory",
                where=str(directory),
                hint="wait until it has ended, or end it",
            )
        yield
    finally:
        os.close(lock)


def purge(directory: Path) -> None:
    """Remove data, configuration, logs and our own secrets; certificates stay, and so do secrets of the user's.

    Raises:
        StackError: something cannot be removed; everything else is.
    """
    failed: list[OSError] = []
    for part in (directory / name for name in _THEIRS):
        shutil.rmtree(part, ignore_errors=True)
        if os.path.lexists(part):
            try:
                # Once more, to be told why.
                shutil.rmtree(part)
            except OSError as error:
                failed.append(error)
    try:
        secret_files.remove(directory / "secrets")
        (directory / RECORD).unlink(missing_ok=True)
    except OSError as error:
        failed.append(error)
    if failed:
        raise StackError(
            f"cannot remove all data: {failed[0].strerror or failed[0].args[0]}",
            where=str(failed[0].filename or directory),
        )


def forget(directory: Path) -> None:
    """Make what was a state directory one of nobody, and remove it if nothing of anybody's is in it."""
    with contextlib.suppress(OSError):
        (directory / _LOCK).unlink(missing_ok=True)
        directory.rmdir()


def _inside(directory: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from directory.iterdir()
