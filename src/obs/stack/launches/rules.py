"""Which rule files a server of the full stack evaluates: those about the stack itself, and those given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from obs.stack.launches.setup import Setup
from obs.stack.shipped_rules import is_about, shipped_rules

#: The generated file about alerting as a whole: the alert that always fires.
_FLEET = "fleet"


@dataclass(frozen=True)
class Rules:
    """Rule files by name: `shipped` as text, `given` as they lie on the user's disk."""

    shipped: Mapping[str, str]
    given: Mapping[str, Path]


def rules(setup: Setup, kind: str, given: Iterable[Path]) -> Rules:
    """Return what ships about the servers that run here, and the `given` files.

    A given file takes the place of one that ships under the same name. Rules about servers that do not
    run here are left out: each would tell of an outage that is none. Links of what ships lead to the
    servers of this stack.
    """
    names: dict[str, Path] = {}
    counts: dict[str, int] = {}
    for file in given:
        name = f"{file.stem}.yml"
        count = counts[name] = counts.get(name, 0) + 1
        names[name if count == 1 else f"{file.stem}-{count}.yml"] = file
    here = {name: setup.url(name) for name in setup.servers}
    shipped = {
        name: text
        for name, text in shipped_rules(kind, here)
        if is_about(name, (*setup.servers, _FLEET)) and name not in names
    }
    return Rules(shipped, names)
