"""A secret that a person keeps in a file: read only where the file protects it."""

from __future__ import annotations

import os
import stat

from obs.errors import ConfigError

#: Bytes: a shorter secret can be guessed (NIST SP 800-107 advises no fewer than half of a digest's 32).
SHORTEST, LONGEST = 16, 4_096
#: How a person makes one.
RECIPE = "head -c 32 /dev/urandom | base64 > FILE"


def read_secret(path: str, called: str) -> bytes:
    """Return what is in the file at `path`, white space around it taken off.

    Others may not read it, group and others may not write it. Raises `ConfigError`, naming the file as
    `called`, when it cannot be read, is no plain file, or protects nothing.
    """
    try:
        # Asked of the open file: a path may mean another one a moment later.
        with open(path, "rb", opener=_open) as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(LONGEST + 1).strip() if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise ConfigError(f"{called} cannot be read: {error.strerror}", where=path) from None
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{called} is no file", where=path)
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise ConfigError(
            f"{called} has mode {stat.S_IMODE(mode):04o}: expected one that others cannot read and "
            "only its owner can write",
            where=path,
            hint=f"chmod 0400 {path}, or 0440 with the group of the service",
        )
    return secret


def _open(path: str, flags: int) -> int:
    # A pipe under that name must not stop the host.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
