"""The stack's own secrets: one file each, made once, readable by their owner alone and shown to nobody."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import bcrypt

from obs.errors import StackError
from obs.stack.whole import write_whole

#: Who asks Prometheus and Alertmanager of the stack; the password is the secret `web_password`.
WEB_USER = "obs"
WEB_PASSWORD = "web_password"  # noqa: S105 - the name of a file
#: The same login as an Authorization header wants it, for Loki's ruler, which reads nothing else from a file.
WEB_AUTHORIZATION = "web_authorization"
GRAFANA_PASSWORD = "grafana_admin_password"  # noqa: S105 - the name of a file

_WEB_CONFIG = "web.yml"

#: 2^10 rounds, some 50 ms: the servers remember whom they have let in, so a scrape does not pay for it.
_ROUNDS = 10
_BYTES = 24


def ensure(directory: Path, *, mode: int = 0o600) -> dict[str, Path]:
    """Make the secrets that are not there yet and return the file of each; those that are there stay.

    What is made of another secret follows it: a user may put a password of their own there at any time.

    Raises:
        StackError: the directory cannot be written or a file not read.
    """
    files = {name: directory / name for name in _MADE_BY}
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, make in _MADE_BY.items():
            if not files[name].exists():
                write_whole(files[name], make(directory), mode=mode)
        authorization = _authorization(directory)
        if read(files[WEB_AUTHORIZATION]) != authorization:
            write_whole(files[WEB_AUTHORIZATION], authorization, mode=mode)
    except OSError as error:
        raise StackError(
            f"cannot write the stack's secrets: {error.strerror}", where=str(directory)
        ) from None
    return files


def remove(directory: Path) -> None:
    """Remove the secrets that `ensure` and `web_config` make; what a user has put there stays."""
    for name in (*_MADE_BY, _WEB_CONFIG):
        (directory / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()


def read(file: Path) -> str:
    """Return the secret in `file`.

    Raises:
        StackError: there is none, or this user may not read it.
    """
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StackError(f"cannot read a secret of the stack: {error.strerror}", where=str(file)) from None


def web_config(directory: Path) -> str:
    """Return the text of `web.yml`, by which Prometheus and Alertmanager ask for the login in `directory`.

    The file that holds the hash of the present password is kept as it is, for each hash has a salt of its own.

    Raises:
        StackError: a secret cannot be read, or `web.yml` not be written.
    """
    file = directory / _WEB_CONFIG
    password = read(directory / WEB_PASSWORD).encode()
    try:
        kept = file.read_text(encoding="utf-8") if file.exists() else ""
        if not _lets_in(kept, password):
            hashed = bcrypt.hashpw(password, bcrypt.gensalt(_ROUNDS)).decode()
            kept = f"# Written by obs: the bcrypt hash of the secret {WEB_PASSWORD}.\n"
            kept += f"basic_auth_users:\n  {WEB_USER}: {hashed}\n"
            write_whole(file, kept, mode=0o600)
    except OSError as error:
        raise StackError(f"cannot write the login of the stack: {error.strerror}", where=str(file)) from None
    return kept


def _lets_in(text: str, password: bytes) -> bool:
    _, _, hashed = text.rpartition(f"  {WEB_USER}: ")
    try:
        return bool(hashed) and bcrypt.checkpw(password, hashed.strip().encode())
    except ValueError:
        return False


def _password(_: Path) -> str:
    return secrets.token_urlsafe(_BYTES)


def _authorization(directory: Path) -> str:
    return base64.b64encode(f"{WEB_USER}:{read(directory / WEB_PASSWORD)}".encode()).decode()


#: In this order: the later ones are made of the earlier.
_MADE_BY: Mapping[str, Callable[[Path], str]] = MappingProxyType(
    {GRAFANA_PASSWORD: _password, WEB_PASSWORD: _password, WEB_AUTHORIZATION: _authorization}
)
