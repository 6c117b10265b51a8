"""Which rule files a server of the full stack evaluates: those about the stack itself, and those given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from obs.stack import bundle, render
from obs.stack.launches.setup import Setup

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
    shipped = {
        file.name: _relinked(file.read_text(encoding="utf-8"), setup)
        for file in sorted((bundle.root() / "alerts" / kind).glob("*.yml"))
        if _about(file.stem, (*setup.servers, _FLEET)) and file.name not in names
    }
    return Rules(shipped, names)


def _about(stem: str, names: Iterable[str]) -> bool:
    # A service has several files: loki.yml, loki-urgent.yml, loki-slow-targets.yml.
    return any(stem == name or stem.startswith(f"{name}-") for name in names)


def _relinked(text: str, setup: Setup) -> str:
    for name, address in render.shipped_links().items():
        if name in setup.servers:
            text = text.replace(address, setup.url(name))
    return text
