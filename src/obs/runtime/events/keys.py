"""The key of the audit chain, from a file that protects it."""

from __future__ import annotations

import os
import stat

from obs.errors import ConfigError
from obs.runtime.events.chain import Key

#: Bytes of a key: NIST SP 800-107 advises no fewer than half of the digest's 32.
_SHORTEST, _LONGEST = 16, 4_096


def read_key(path: str) -> Key | None:
    """Return the key in the file at `path`, None where `path` is empty.

    Raises `ConfigError` when it cannot be read, is too short, or others may read or change it.
    """
    if not path:
        return None
    try:
        # Asked of the open file: a path may mean another one a moment later.
        with open(path, "rb", opener=_open) as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(_LONGEST + 1).strip() if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise ConfigError(f"audit key file cannot be read: {error.strerror}", where=path) from None
    if not stat.S_ISREG(mode):
        raise ConfigError("audit key file is no file", where=path)
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise ConfigError(
            f"audit key file has mode {stat.S_IMODE(mode):04o}: expected one that others cannot read and "
            "only its owner can write",
            where=path,
            hint=f"chmod 0400 {path}, or 0440 with the group of the service",
        )
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise ConfigError(
            f"audit key file holds {len(secret)} bytes: expected {_SHORTEST} to {_LONGEST}",
            where=path,
            hint="head -c 32 /dev/urandom | base64 > FILE",
        )
    return Key(secret)


def _open(path: str, flags: int) -> int:
    # A pipe under that name must not stop the host.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
