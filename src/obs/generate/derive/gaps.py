"""What a service's metrics cannot express, and why.

Authors write every query of a capability at once; which of them a service with other metrics can
answer is known only afterwards. A name that does not exist is therefore given a stand-in, and the one
door through which every query goes (`derive.promql.checked`) turns it into the reason.
"""

from __future__ import annotations

import zlib

from obs.errors import ObsError

_PREFIX = "obs_gap_"
#: Stand-in -> why there is no such name. The same reason always has the same stand-in.
_REASONS: dict[str, str] = {}


class CannotDerive(ObsError):
    """This alert makes no sense for this service, or cannot be written for it; the message is the reason.

    The alert is left out and listed with the reason.
    """


def gap(reason: str) -> str:
    """Return a name, legal for a metric and for a label, that stands for what does not exist."""
    name = f"{_PREFIX}{zlib.crc32(reason.encode()):08x}"
    _REASONS[name] = reason
    return name


def is_gap(name: str) -> bool:
    """Tell whether `name` stands for what does not exist."""
    return name.startswith(_PREFIX)


def reason_of(name: str) -> str | None:
    """Return why `name` does not exist; None for a name that is no stand-in."""
    if not is_gap(name):
        return None
    # A histogram's series have suffixes.
    return _REASONS.get(name[: len(_PREFIX) + 8])
