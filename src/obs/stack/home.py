"""Where the toolchain keeps what it makes: the one reader of its own environment variables."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return `$OBS_HOME`, else `obs` in the user's cache directory (`$XDG_CACHE_HOME` or `~/.cache`)."""
    chosen = os.environ.get("OBS_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    caches = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification tells programs to ignore a relative path.
    base = Path(caches) if caches and Path(caches).is_absolute() else Path("~/.cache").expanduser()
    return base / "obs"


def release_url() -> str:
    """Return the base address of release downloads: `$OBS_RELEASE_URL`, or the projects' own host."""
    return os.environ.get("OBS_RELEASE_URL", "https://github.com").rstrip("/")
