"""Which rule files a server of the full stack evaluates: those about the stack itself, and those given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from obs.stack import bundle
from obs.stack.launches.setup import Setup

#: The generated file about alerting as a whole: the alert that always fires.
_FLEET = "fleet"


def own_rules(setup: Setup, kind: str, given: Iterable[Path]) -> dict[str, Path]:
    """Return rule files by name: what ships about the servers that run here, and the `given` ones.

    A given file takes the place of one that ships under the same name. Rules about servers that do not
    run here are left out: each would tell of an outage that is none.
    """
    found: dict[str, Path] = {}
    folder = bundle.root() / "alerts" / kind
    for file in sorted(folder.glob("*.yml")):
        if file.stem.removesuffix("-slow") in (*setup.servers, _FLEET):
            found[file.name] = file
    twice: dict[str, int] = {}
    for file in given:
        name = f"{file.stem}.yml"
        count = twice[name] = twice.get(name, 0) + 1
        found[name if count == 1 else f"{file.stem}-{count}.yml"] = file
    return found
