"""Where the toolchain keeps what it makes: the one reader of its own environment variables."""

from __future__ import annotations

import os
from pathlib import Path

from obs.errors import ConfigError


def home() -> Path:
    """Return `$OBS_HOME`, else `obs` in the user's cache directory (`$XDG_CACHE_HOME` or `~/.cache`).

    Raises:
        ConfigError: this user has no home directory (containers run as a number that nobody has a name for).
    """
    chosen = os.environ.get("OBS_HOME")
    if chosen:
        return _expanded(chosen).absolute()
    caches = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification tells programs to ignore a relative path.
    base = Path(caches) if caches and Path(caches).is_absolute() else _expanded("~/.cache")
    return base / "obs"


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"cannot tell which directory {path} is: this user has no home directory",
            hint="set OBS_HOME to a directory that you may write",
        ) from None


def release_url(host: str) -> str:
    """Return the base address of release downloads: `$OBS_RELEASE_URL`, or the project's own `host`."""
    return os.environ.get("OBS_RELEASE_URL", host).rstrip("/")


def named(variable: str) -> Path | None:
    """Return the file that the variable of the environment names, such as `$OBS_TEMPO`; None where it is empty."""
    named = os.environ.get(variable, "")
    return _expanded(named).absolute() if named else None
