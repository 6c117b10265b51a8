"""Parsers of settings: each takes an argument or a variable's text.

A parser raises ValueError saying what it expected; its caller says what it got and from where.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

Parser: TypeAlias = Callable[[Any], Any]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
#: A name may stand in labels, file names and URLs of everything that is generated for it.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_TEXT = re.compile(r"[\x20-\x7e]{0,256}\Z")
_PATH_LIMIT = 4096
_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,128}\Z")


def name(raw: Any) -> str:
    """Return a name that may stand in labels, file names and URLs."""
    if not isinstance(raw, str) or not _NAME.match(raw):
        raise ValueError("a name of letters, digits, '.', '_' and '-', at most 128 characters")
    return raw


def text(raw: Any) -> str:
    """Return short printable text."""
    if not isinstance(raw, str) or not _TEXT.match(raw):
        raise ValueError("printable text of at most 256 characters")
    return raw


def flag(raw: Any) -> bool:
    """Return a truth value."""
    if isinstance(raw, bool):
        return raw
    word = str(raw).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("true or false")
    return word in _TRUE


def not_flag(raw: Any) -> bool:
    """Return the opposite of a truth value."""
    return not flag(raw)


def choice(*words: str) -> Parser:
    """Return a parser of one of `words`."""

    def parse(raw: Any) -> str:
        word = str(raw).lower()
        if word not in words:
            raise ValueError("one of " + ", ".join(words))
        return word

    return parse


def level(raw: Any) -> str:
    """Return a log level, `warn` and `fatal` included."""
    word = {"warn": "warning", "fatal": "critical"}.get(str(raw).lower(), str(raw).lower())
    return str(choice("debug", "info", "warning", "error", "critical")(word))


def levels(raw: Any) -> Mapping[str, str]:
    """Return a level a logger, from ``shop.db=debug,urllib3=error`` or a mapping."""
    try:
        return MappingProxyType({logger: level(word) for logger, word in pairs(raw).items()})
    except ValueError as error:
        raise ValueError(f"a level a logger such as shop.db=debug,urllib3=error: {error}") from None


def file(raw: Any) -> str:
    """Return the path of a file."""
    path = os.fspath(raw) if isinstance(raw, (str, os.PathLike)) else ""
    if not isinstance(path, str) or not path or "\0" in path or len(path) > _PATH_LIMIT:
        raise ValueError("the path of a file")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise ValueError("the path of a file") from None
    return path


def existing_file(raw: Any) -> str:
    """Return the path of a file that can be read now: a later failure would only cost telemetry."""
    path = file(raw)
    if not os.path.isfile(path) or not os.access(path, os.R_OK):  # noqa: PTH113 - pathlib is not loaded here
        raise ValueError("the path of a file that exists and can be read")
    return path


def number(low: float, high: float, scale: float = 1.0) -> Parser:
    """Return a parser of numbers from `low` to `high`; a variable is in units of `scale`."""

    def parse(raw: Any) -> float:
        wanted = f"a number from {low / scale:g} to {high / scale:g}"
        if isinstance(raw, bool):
            raise ValueError(wanted)  # noqa: TRY004 - one kind of error for every wrong value
        try:
            value = float(raw) * scale
        except (TypeError, ValueError, OverflowError):
            raise ValueError(wanted) from None
        if math.isnan(value) or not low <= value <= high:
            raise ValueError(wanted)
        return value

    return parse


def whole(low: int, high: int) -> Parser:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(raw: Any) -> int:
        wanted = f"a whole number from {low} to {high}"
        if isinstance(raw, (bool, float)):
            raise ValueError(wanted)  # noqa: TRY004
        try:
            value = int(raw)
        except (TypeError, ValueError):
            raise ValueError(wanted) from None
        if not low <= value <= high:
            raise ValueError(wanted)
        return value

    return parse


def url(raw: Any) -> str:
    """Return an HTTP URL."""
    wanted = "an http:// or https:// URL such as http://127.0.0.1:4318"
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (AttributeError, TypeError, ValueError):
        raise ValueError(wanted) from None
    if not usable or not _TEXT.match(raw):
        raise ValueError(wanted)
    return str(raw)


def path(raw: Any) -> str:
    """Return a path such as /metrics."""
    if not isinstance(raw, str) or not _PATH.match(raw):
        raise ValueError("a path such as /metrics")
    return raw


def pairs(raw: Any) -> Mapping[str, str]:
    """Return a mapping of text to text, from one or from `key=value,...`."""
    wanted = "pairs such as key=value,other=value"
    if isinstance(raw, Mapping):
        if not all(isinstance(item, str) for pair in raw.items() for item in pair):
            raise ValueError("a mapping of text to text")
        return MappingProxyType(dict(raw))
    if not isinstance(raw, str):
        raise ValueError(wanted)  # noqa: TRY004
    pairs = {}
    for item in filter(None, (part.strip() for part in raw.split(","))):
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise ValueError(wanted)
        pairs[key.strip()] = unquote(value.strip())
    return MappingProxyType(pairs)


def words(pattern: str, wanted: str) -> Parser:
    """Return a parser of a list of words that match `pattern`, from a list or from `one,other`."""
    legal = re.compile(pattern)

    def parse(raw: Any) -> tuple[str, ...]:
        items = raw.split(",") if isinstance(raw, str) else raw
        try:
            found = tuple(item.strip() for item in items)
        except (AttributeError, TypeError):
            raise ValueError(wanted) from None
        found = tuple(dict.fromkeys(filter(None, found)))
        if not all(legal.match(item) for item in found):
            raise ValueError(wanted)
        return found

    return parse


#: Host names of which a first label may be `*`; `*` alone is every host, an IPv6 address has no brackets.
HOSTS = words(
    r"(?:\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:.]+)\Z",
    "host names such as payments,*.example.com, or internal, or *",
)
#: Keys of W3C Baggage, which are tokens of HTTP.
KEYS = words(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z", "baggage keys such as tenant,plan")

#: Names of fields and keys, in which * stands for any characters.
PATTERNS = words(r"[A-Za-z0-9_.*?-]{1,64}\Z", "names such as *_pin,x-internal-*")


def dsn(raw: Any) -> str:
    """Return a Sentry DSN; what is wrong with it is not quoted, for it is a secret."""
    wanted = "a Sentry DSN such as https://key@sentry.example.com/1"
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname and parts.username)
        usable = usable and parts.port != 0 and parts.path.rpartition("/")[2].isdigit()
    except (AttributeError, TypeError, ValueError):
        raise ValueError(wanted) from None
    if not usable or not _TEXT.match(raw):
        raise ValueError(wanted)
    return str(raw)


def sampler(raw: Any) -> float | None:
    """Return the ratio that a standard sampler name fixes; None when its argument tells."""
    word = choice(
        "always_on", "always_off", "traceidratio",
        "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
    )(raw)  # fmt: skip
    if word.endswith("always_on"):
        return 1.0
    return 0.0 if word.endswith("always_off") else None


#: A share of something.
RATIO = number(0.0, 1.0)
