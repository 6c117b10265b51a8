"""What the certificates on disk are worth: one state a certificate, and what is wrong with it in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from obs.stack.certs import authority, folder
from obs.stack.certs.authority import Pair, Subject
from obs.stack.certs.folder import Folder

#: The authority's name in reports; its certificate is `ca.crt`.
CA = "ca"


class State(Enum):
    """Of the states, all but `GOOD` are findings; `BLOCKED` is what only a person can settle."""

    GOOD = "good"
    MISSING = "missing"
    EXPIRING = "expiring"
    RENAMED = "renamed"
    EXPOSED = "exposed"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Finding:
    """How one certificate stands; `ends` and `left` are None where there is none to read."""

    name: str
    state: State
    reason: str = ""
    ends: datetime | None = None
    left: timedelta | None = None
    hosts: tuple[str, ...] = ()

    @property
    def days(self) -> int | None:
        """Whole days left, rounded down; negative when it has expired."""
        return None if self.left is None else self.left // timedelta(days=1)


def inspect(
    place: Folder, subjects: Mapping[str, Subject], *, within: timedelta, now: datetime
) -> list[Finding]:
    """Return how each certificate stands, the authority's first.

    Raises:
        StackError: a file cannot be read.
    """
    trusted = folder.read(place.authority_certificate_path)
    found = [_authority(place, trusted, within, now)]
    found += [_one(place, subject, trusted, within, now) for subject in subjects.values()]
    return found


def _authority(  # noqa: PLR0911 - see `_one`
    place: Folder, certificate: bytes | None, within: timedelta, now: datetime
) -> Finding:
    key = folder.read(place.authority_key_path)
    if certificate is None:
        if key is None:
            return Finding(CA, State.MISSING, "there is none yet")
        return Finding(CA, State.BLOCKED, f"{place.authority_key_path} is there and ca.crt is not")
    try:
        facts = authority.read(certificate)
    except ValueError:
        return Finding(CA, State.BLOCKED, "ca.crt is no certificate")
    if key is not None and not authority.is_pair(Pair(key, certificate)):
        return Finding(CA, State.BLOCKED, f"{place.authority_key_path} is not the key of ca.crt")
    if facts.left(now) <= within:
        return _finding(CA, State.EXPIRING, "replace it with --replace-ca", facts, now)
    if key is not None and folder.is_exposed(place.authority_key_path):
        return _finding(CA, State.EXPOSED, "others may read its key", facts, now)
    return _finding(CA, State.GOOD, "", facts, now)


def _one(  # noqa: PLR0911 - one return for each way a certificate can be wrong
    place: Folder, subject: Subject, trusted: bytes | None, within: timedelta, now: datetime
) -> Finding:
    name = subject.name
    key, certificate = folder.read(place.key_path(name)), folder.read(place.certificate_path(name))
    if certificate is None:
        if key is None:
            return Finding(name, State.MISSING, "there is none yet")
        return Finding(name, State.BLOCKED, f"{name}.key is there and {name}.crt is not")
    try:
        facts = authority.read(certificate)
    except ValueError:
        return Finding(name, State.BLOCKED, f"{name}.crt is no certificate")
    if trusted is None or not authority.is_issued_by(certificate, trusted):
        return _finding(name, State.BLOCKED, f"{name}.crt was not signed by ca.crt", facts, now)
    if key is None:
        return _finding(name, State.MISSING, f"{name}.key is missing", facts, now)
    if not authority.is_pair(Pair(key, certificate)):
        return _finding(name, State.BLOCKED, f"{name}.key is not the key of {name}.crt", facts, now)
    if facts.left(now) <= within:
        return _finding(name, State.EXPIRING, "", facts, now)
    unnamed = [host for host in subject.hosts if host not in facts.hosts]
    if unnamed:
        return _finding(name, State.RENAMED, f"does not name {', '.join(unnamed)}", facts, now)
    if folder.is_exposed(place.key_path(name)):
        return _finding(name, State.EXPOSED, "others may read its key", facts, now)
    return _finding(name, State.GOOD, "", facts, now)


def _finding(name: str, state: State, reason: str, facts: authority.Facts, now: datetime) -> Finding:
    return Finding(name, state, reason, facts.ends, facts.left(now), tuple(sorted(facts.hosts)))
