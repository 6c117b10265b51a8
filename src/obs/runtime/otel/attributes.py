"""Attributes of spans and events: names and values cleaned, their number bounded."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from obs.runtime.redaction import NAME_LIMIT, clean_value, plain_text
from obs.runtime.redaction.keys import HIDE, verdicts
from obs.runtime.redaction.text import harmless

#: Most attributes of a span, an event or a link, as OpenTelemetry's own default has it.
MOST = 128
#: No number up to this one is a card's.
_SMALL = 10**9
_SCALARS = (str, bool, int, float)


def clean(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first 128 of `given` without secrets, as what a span may hold; None is left out."""
    attributes: dict[str, Any] = {}
    for key, value in given.items() if len(given) <= MOST else islice(given.items(), MOST):
        # A name in the table is known to be harmless; most names come again with every span, and most
        # values are a status or a text seen before, which need no call.
        found = verdicts.get(key) if type(key) is str and key.isascii() else None
        if (
            found is not None
            and found != HIDE
            and (value in harmless if type(value) is str else type(value) is int and 0 <= value <= _SMALL)
        ):
            attributes[key] = value
            continue
        name = key if found is not None else plain_text(key, NAME_LIMIT)
        plain = clean_value(name, value)
        if plain is not None:
            attributes[name] = plain if isinstance(plain, _SCALARS) else _flat(plain)
    return attributes


def _flat(value: Any) -> Any:
    alike = isinstance(value, list) and len({type(item) for item in value}) == 1
    return value if alike and isinstance(value[0], _SCALARS) else str(value)
