"""The chain of a process: each line carries the digest of the one before it, and its own.

The digest is an HMAC-SHA-256 (RFC 2104) with the key, or a plain SHA-256 without one, over the line
as canonical JSON: sorted keys, no blanks, ASCII. So it does not matter who has rewritten the line's
spacing, order or escapes on its way; every value does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

#: The field that holds a line's digest: with a key, and without one.
SIGNED, HASHED = "hmac", "hash"
START, ANCHOR = "chain.start", "chain.anchor"
_KEY_ID = b"obs audit key"


class Key:
    """The secret of a chain; `id` tells keys apart and gives nothing away."""

    __slots__ = ("secret",)

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    @property
    def id(self) -> str:
        """Return 16 hexadecimal digits that only this key leads to."""
        return _digest(_KEY_ID, self)[:16]


def digest(record: Mapping[str, Any], key: Key | None) -> str:
    """Return the digest of a line without its own, as 64 hexadecimal digits."""
    body = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    return _digest(body, key)


def _digest(body: bytes, key: Key | None) -> str:
    # Loaded with the first event: most processes write none, and OpenSSL takes its time.
    import hashlib
    import hmac

    if key is None:
        return hashlib.sha256(body).hexdigest()
    return hmac.new(key.secret, body, hashlib.sha256).hexdigest()


class Chain:
    """A chain in the making. Not thread-safe: its journal has the lock."""

    def __init__(self, key: Key | None, parent: Mapping[str, Any] | None = None) -> None:
        self.id = os.urandom(16).hex()
        self.parent = parent
        #: Number and digest of the latest line, replaced in one step: a fork may come between any two.
        self._latest = (-1, "")
        self._key = key
        self._field = HASHED if key is None else SIGNED

    @property
    def next(self) -> int:
        """Return the sequence number of the next line."""
        return self._latest[0] + 1

    def link(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return `record` as the next line of the chain."""
        latest, head = self._latest
        linked = {**record, "chain_id": self.id, "sequence": latest + 1, "previous": head}
        head = digest(linked, self._key)
        self._latest = (latest + 1, head)
        return {**linked, self._field: head}

    def describe(self) -> dict[str, Any]:
        """Return what a child's chain tells of this one."""
        sequence, head = self._latest
        return {"chain_id": self.id, "sequence": sequence, "digest": head}
