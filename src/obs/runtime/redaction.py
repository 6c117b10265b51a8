"""Make a value fit to be written: secrets masked, size bounded, everything plain JSON data.

One walk does all three, in time linear in what is kept: text is cut before it is searched, and
no pattern nests quantifiers.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Any

MASK = "[redacted]"
#: Characters kept of one text value; a stack is allowed more.
TEXT_LIMIT = 8_192
STACK_LIMIT = 32_768
#: Characters kept of a name: of a span, a logger, a key.
NAME_LIMIT = 256
_DEPTH = 8
#: Values kept of one log line or attribute, nested ones included.
_NODES = 1_000
#: Integers beyond 64 bits have no portable JSON form.
_INT64 = 2**63

#: Found anywhere in a key whose words are put together: ``api-key`` is ``apikey``.
_PARTS = (
    "password", "passwd", "passphrase", "secret", "credential", "authorization",
    "apikey", "accesskey", "privatekey",
)  # fmt: skip
_WORDS = frozenset({"token", "cookie", "pwd", "auth", "jwt", "dsn", "sessionid"})
#: A key's words: ``X-Api-Key``, ``userPassword``, ``APIToken``, ``token2``.
_SPLIT = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BEARER = re.compile(r"(?i)\b(bearer|basic)[ \t]{1,4}[A-Za-z0-9._~+/=-]{4,}")
_USERINFO = re.compile(r"(?<=://)[^\s/@:]{0,64}:[^\s/@]{1,256}@")


@lru_cache(maxsize=4096)
def is_secret(key: str) -> bool:
    """Tell whether a value under `key` is a secret by its name (``userPassword``, ``api-key``)."""
    words = [word.lower() for word in _SPLIT.split(key[:128]) if word]
    joined = "".join(words)
    if any(part in joined for part in _PARTS):
        return True
    return not _WORDS.isdisjoint(words) or ("session", "id") in pairwise(words)


def scrub(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` cut to `limit` characters with bearer tokens and URL passwords masked."""
    if len(text) > limit:
        # The end of a stack names the error and the start names the caller, so both are kept.
        head, tail = limit // 4, limit - limit // 4
        text = f"{text[:head]}...({len(text) - limit} characters cut)...{text[-tail:]}"
    if "earer" in text or "asic" in text or "EARER" in text or "ASIC" in text:
        text = _BEARER.sub(rf"\1 {MASK}", text)
    if "://" in text and "@" in text:
        text = _USERINFO.sub(f"{MASK}@", text)
    return text


def plain_text(value: Any, limit: int = TEXT_LIMIT) -> str:
    """Return any value as scrubbed text that has a UTF-8 form. Never raises."""
    text = scrub(value if type(value) is str else _text(value), limit)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def clean(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` as plain JSON data: secrets masked, values bounded. Never raises."""
    return _Walk().mapping(fields, 0)


def clean_value(key: str, value: Any) -> Any:
    """Return one value as plain JSON data, masked when `key` says that it is a secret."""
    if is_secret(key):
        return MASK
    # The two commonest types need no walk; this is on the path of every span.
    kind = type(value)
    if kind is str:
        return scrub(value)
    return value if kind is bool else _Walk().value(value, 0)


class _Walk:
    """One walk with its budget of values."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _NODES

    def mapping(self, fields: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, value in list(fields.items()):
            name = key if type(key) is str else _text(key)
            if self._left <= 0:
                plain["..."] = "more values cut"
                break
            plain[name[:NAME_LIMIT]] = (
                MASK if is_secret(name) and value is not None else self.value(value, depth)
            )
        return plain

    def value(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one return a type
        self._left -= 1
        kind = type(value)
        if kind is str:
            return scrub(value)
        if kind is bool or value is None:
            return value
        if kind is int:
            return value if -_INT64 <= value < _INT64 else _big(value)
        if kind is float:
            return value if math.isfinite(value) else str(value)
        if depth >= _DEPTH:
            return "..."
        try:
            return self._other(value, depth)
        except Exception as error:
            return f"<{kind.__name__} that raised {type(error).__name__}>"

    def _other(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one return a type
        if isinstance(value, Mapping):
            return self.mapping(value, depth + 1)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._items(value, depth + 1)
        if isinstance(value, (dt.datetime, dt.date, dt.time)):
            return value.isoformat()
        if isinstance(value, Enum):
            return self.value(value.value, depth + 1)
        if isinstance(value, (str, int, float)):
            return scrub(str(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return scrub(bytes(value[:TEXT_LIMIT]).decode("utf-8", "backslashreplace"))
        return scrub(_text(value))

    def _items(self, values: Iterable[Any], depth: int) -> list[Any]:
        plain = []
        for value in list(values):
            if self._left <= 0:
                plain.append("...")
                break
            plain.append(self.value(value, depth))
        return plain


def _big(number: int) -> str:
    # Python itself refuses to write out integers of more than some thousand digits.
    return str(number) if number.bit_length() <= 1024 else f"<integer of {number.bit_length()} bits>"


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__} that raised {type(error).__name__}>"
