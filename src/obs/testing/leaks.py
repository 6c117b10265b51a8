"""Secrets in what was captured: found by the redactor's own detectors, and by planted values."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from obs.runtime.redaction import MASK, is_secret
from obs.runtime.redaction.keys import KEEP, verdict
from obs.runtime.redaction.text import mask

#: Shorter planted values would be found everywhere.
_LEAST = 4
_AROUND = 20


class Leak(NamedTuple):
    """A secret that was found, and where."""

    place: str
    reason: str
    #: The text around it, the secret itself masked.
    excerpt: str

    def __str__(self) -> str:
        """Return it as a line of a failure."""
        return f"{self.place}: {self.reason}: {self.excerpt}"


def find(captured: Mapping[str, Any], planted: Iterable[str]) -> list[Leak]:
    """Return every secret in `captured`. Raises `ValueError` for a planted value that is too short."""
    forms = {form: kind for value in planted for form, kind in _forms(value)}
    return [
        leak for place, key, value in _texts("", "", captured) for leak in _judge(place, key, value, forms)
    ]


def _forms(value: str) -> Iterator[tuple[str, str]]:
    """Yield a planted value as it is and as it may be written in headers and URLs."""
    if not isinstance(value, str):
        raise ValueError(f"planted value {value!r}: got {type(value).__name__}, expected text")  # noqa: TRY004
    if len(value) < _LEAST:
        raise ValueError(f"planted value {value!r}: got {len(value)} characters, expected {_LEAST} or more")
    yield base64.b64encode(value.encode()).decode().rstrip("="), "a planted value in base64"
    yield quote_plus(value), "a planted value, quoted for a URL"
    yield quote(value, safe=""), "a planted value, quoted for a URL"
    yield value, "a planted value"


def _texts(place: str, key: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """Yield place, key and text of every leaf; keys are leaves too, since a secret may be one."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            inside = f"{place}.{name}" if place else str(name)
            yield inside, "", str(name)
            yield from _texts(inside, str(name), item)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _texts(f"{place}[{number}]", key, item)
    elif value is not None and not isinstance(value, bool):
        yield place, key, str(value)


def _judge(place: str, key: str, text: str, forms: Mapping[str, str]) -> Iterator[Leak]:
    for form, kind in forms.items():
        if form in text:
            yield Leak(place, kind, _around(text, form))
            return
    if key and verdict(key) == KEEP:
        # Allowed by a setting, or bounded by the catalogue.
        return
    if key and is_secret(key) and text not in {"", MASK}:
        yield Leak(place, f"a value under the secret key {key!r}", f"{len(text)} characters")
        return
    # With the setting `redact` off as well: that is when there is most to find.
    cleaned = mask(text)
    if cleaned != text:
        at = cleaned.find(MASK)
        yield Leak(place, "a secret by its form", cleaned[max(0, at - _AROUND) : at + len(MASK) + _AROUND])


def _around(text: str, secret: str) -> str:
    at = text.find(secret)
    before = text[max(0, at - _AROUND) : at]
    return f"{before}{MASK}{text[at + len(secret) :][:_AROUND]}"
