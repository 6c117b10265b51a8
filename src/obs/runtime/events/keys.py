"""The key of the audit chain, from a file that protects it."""

from __future__ import annotations

from obs.errors import ConfigError
from obs.runtime.events.chain import Key
from obs.runtime.secret_file import LONGEST, RECIPE, SHORTEST, read_secret


def read_key(path: str) -> Key | None:
    """Return the key in the file at `path`, None where `path` is empty.

    Raises `ConfigError` when it cannot be read, is too short, or others may read or change it.
    """
    if not path:
        return None
    secret = read_secret(path, "audit key file")
    if not SHORTEST <= len(secret) <= LONGEST:
        raise ConfigError(
            f"audit key file holds {len(secret)} bytes: expected {SHORTEST} to {LONGEST}",
            where=path,
            hint=RECIPE,
        )
    return Key(secret)
