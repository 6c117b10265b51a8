"""Durations as Prometheus writes them: ``500ms``, ``15s``, ``1m30s``, ``2h``."""

from __future__ import annotations

import re

from obs.errors import ConfigError

_UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_FORM = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,9}}){unit})?" for unit in _UNITS))


def milliseconds(text: str, what: str) -> int:
    """Return the length of a duration; units stand in falling order, each at most once, as Prometheus wants.

    Raises:
        ConfigError: it is none, or it is zero; the message names it `what`.
    """
    found = _FORM.fullmatch(text)
    length = sum(int(found.group(unit) or 0) * size for unit, size in _UNITS.items()) if found else 0
    if length == 0:
        raise ConfigError(f"{what}: got {text!r}, expected a duration such as 500ms, 15s or 1m30s")
    return length
