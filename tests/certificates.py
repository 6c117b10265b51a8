"""Certificates as `obs stack certs` makes them, for a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from obs.stack.certs import authority
from obs.stack.certs.folder import Folder
from obs.stack.certs.renewal import Wanted, renew
from obs.stack.certs.subjects import subjects


def make(folder: Folder, *rotate: str, services: Iterable[str] = ()) -> None:
    """Make what is missing for every server of the stack and `services`, and those of `rotate` anew."""
    wanted = Wanted(lifetime=timedelta(days=1), before=timedelta(hours=1), rotate=rotate)
    renew(folder, subjects(services=services), wanted, authority.now())
