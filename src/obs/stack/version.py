"""Versions of engines: read from what `--version` prints, compared by number."""

from __future__ import annotations

import re
from typing import NamedTuple

_DOTTED = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?![.\d])")
_PRINTED = re.compile(r"(?:\bversion\s+|\(PostgreSQL\)\s+|\bserver v=)(v?\d+\.\d+(?:\.\d+)?)(?![.\d])")


class Version(NamedTuple):
    """Major, minor, patch; what follows (pre-release, distribution) does not count."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse(text: str) -> Version | None:
    """Return the version that `text` is, such as ``3.14.0`` or ``v0.31.1``; None when it is none."""
    found = _DOTTED.fullmatch(text)
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return Version(major, minor, patch)


def printed(text: str) -> Version | None:
    """Return the version in what an engine prints for `--version`; None when it names none.

    The word before the number counts: a build without a version still prints that of its Go compiler.
    """
    found = _PRINTED.search(text)
    return parse(found.group(1)) if found else None
