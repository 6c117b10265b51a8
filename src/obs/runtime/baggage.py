"""W3C Baggage (https://www.w3.org/TR/baggage/): strict and bounded, whoever sent it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

#: The standard asks a platform to carry at least this much; more than it is not carried on.
MOST_MEMBERS = 64
MOST_BYTES = 8_192

_KEY = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
#: US-ASCII without controls, whitespace, double quote, comma, semicolon and backslash.
_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\Z")
#: What need not be encoded in a value; the percent sign itself must be.
_PLAIN = "!#$&'()*+-./:<=>?@[]^_`{|}~"


def parse(header: str) -> dict[str, str]:
    """Return the members of a `baggage` header; all of them are dropped when it is malformed or too big.

    Properties (what follows a semicolon) are dropped: nothing here understands one.
    """
    if not header or len(header) > MOST_BYTES:
        return {}
    members: dict[str, str] = {}
    for item in header.split(","):
        key, equals, rest = item.partition("=")
        key, value = key.strip(" \t"), rest.partition(";")[0].strip(" \t")
        if not equals or not _KEY.match(key) or not _VALUE.match(value):
            return {}
        # Bytes that are no UTF-8 become the replacement character, as the standard wants.
        members[key] = unquote(value, errors="replace")
        if len(members) > MOST_MEMBERS:
            return {}
    return members


def render(members: Mapping[str, object]) -> str:
    """Return the `baggage` header for `members`: as many as the bounds let pass, the first ones first."""
    parts: list[str] = []
    size = -1
    for key, value in _legal(members.items()):
        part = f"{key}={quote(value, safe=_PLAIN, errors='replace')}"
        size += len(part) + 1
        if len(parts) >= MOST_MEMBERS or size > MOST_BYTES:
            break
        parts.append(part)
    return ",".join(parts)


def _legal(items: Iterable[tuple[str, object]]) -> Iterable[tuple[str, str]]:
    return ((key, str(value)) for key, value in items if _KEY.match(key))
