"""The certificates on disk: written whole or not at all, keys never readable for others."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from obs.errors import StackError
from obs.stack import locking
from obs.stack.certs.authority import Pair

#: Bits of a key's mode that nobody may have: everything of others, and writing by the group.
_FORBIDDEN = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP

#: Mode of a key that a group may read.
_FOR_GROUP = 0o640


@dataclass(frozen=True)
class Folder:
    """Where the certificates are, and apart from them, because servers never see it, the authority's key.

    `group` is the number of the group that may read the servers' keys: mode 0640 instead of 0600.
    """

    directory: Path
    authority: Path
    group: int | None = None

    @classmethod
    def of(cls, state: Path, group: int | None = None) -> Folder:
        """Return the folder inside a state directory of the stack.

        Without `group` it is the one that may read the keys that are there: containers in it must be able
        to start again whatever a later command replaces.
        """
        directory = state / "certs"
        return cls(directory, state / "authority", _group_of_keys(directory) if group is None else group)

    def certificate_path(self, name: str) -> Path:
        """Return the place of a certificate."""
        return self.directory / f"{name}.crt"

    def key_path(self, name: str) -> Path:
        """Return the place of a key."""
        return self.directory / f"{name}.key"

    @property
    def authority_certificate_path(self) -> Path:
        """The place of what everybody trusts."""
        return self.certificate_path("ca")

    @property
    def authority_key_path(self) -> Path:
        """The place of the key that signs."""
        return self.authority / "ca.key"

    def write(self, name: str, pair: Pair, *, replaces: bool) -> None:
        """Write a server's or client's key and certificate; a key that is there is replaced only on request.

        Raises:
            StackError: a file cannot be written, or a key is there and `replaces` is False.
        """
        mode = 0o600 if self.group is None else _FOR_GROUP
        _write(self.key_path(name), pair.key, mode, self.group, replaces=replaces)
        _write(self.certificate_path(name), pair.certificate, 0o644, None, replaces=True)

    def write_authority(self, pair: Pair, *, replaces: bool) -> None:
        """Write the authority, like `write`.

        Raises:
            StackError: see `write`.
        """
        _write(self.authority_key_path, pair.key, 0o600, None, replaces=replaces)
        _write(self.authority_certificate_path, pair.certificate, 0o644, None, replaces=True)

    def secure(self, name: str) -> bool:
        """Give a key that is kept the mode and group asked for; tell whether they were others.

        Raises:
            StackError: this user may not change them.
        """
        path = self.key_path(name)
        mode = 0o600 if self.group is None else _FOR_GROUP
        try:
            found = path.stat()
            wrong_group = self.group is not None and found.st_gid != self.group
            if stat.S_IMODE(found.st_mode) == mode and not wrong_group:
                return False
            if wrong_group:
                os.chown(path, -1, self.group or 0)
            path.chmod(mode)
        except OSError as error:
            raise StackError(f"cannot change the mode of a key: {error.strerror}", where=str(path)) from None
        return True

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make both directories and keep other writers away.

        Raises:
            StackError: a directory cannot be written, or another `obs stack certs` is at work.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self.authority.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.authority / ".lock").open("w")
        except OSError as error:
            raise StackError(
                f"cannot write certificates: {error.strerror}",
                where=str(self.directory),
                hint="choose another state directory with --dir",
            ) from None
        with lock:
            if not locking.take(lock.fileno()):
                raise StackError("another `obs stack certs` is at work here", where=str(self.directory))
            yield


def read(path: Path) -> bytes | None:
    """Return what a file holds, None when there is none.

    Raises:
        StackError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StackError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _group_of_keys(directory: Path) -> int | None:
    for path in sorted(directory.glob("*.key")):
        with contextlib.suppress(OSError):
            found = path.stat()
            if stat.S_IMODE(found.st_mode) == _FOR_GROUP:
                return found.st_gid
    return None


def is_exposed(path: Path) -> bool:
    """Tell whether others than its owner and group may use a key, or the group may change it."""
    return bool(path.stat().st_mode & _FORBIDDEN)


def _write(path: Path, content: bytes, mode: int, group: int | None, *, replaces: bool) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if group is not None:
                    os.fchown(file.fileno(), -1, group)
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if replaces:
                draft.replace(path)
            else:
                # Unlike a rename, a link never replaces what came in between.
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise StackError("is there already and is not replaced", where=str(path)) from None
    except OSError as error:
        raise StackError(f"cannot be written: {error.strerror}", where=str(path)) from None
