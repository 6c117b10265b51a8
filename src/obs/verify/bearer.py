"""Tokens for servers that want one: from a file only, for a command line is seen by everybody."""

from __future__ import annotations

from pathlib import Path

from obs.errors import ConfigError


def token(file: Path) -> str:
    """Return the one line of `file`; raise `ConfigError` for one that cannot be read or holds something else."""
    try:
        found = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"--bearer-file: cannot be read: {error.strerror}", str(file)) from None
    except UnicodeDecodeError:
        found = ""
    if not found or not found.isascii() or not found.isprintable() or " " in found:
        raise ConfigError("--bearer-file: expected one line that holds nothing but the token", str(file))
    return found
