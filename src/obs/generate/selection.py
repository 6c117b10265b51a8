"""Which artefacts were asked for: by kind, by service, by path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from obs.errors import ConfigError, suggest
from obs.generate.model import FLEET

#: Kind -> patterns of its paths; the first kind that fits a path has it.
KINDS: dict[str, tuple[str, ...]] = {
    "dashboards": ("dashboards/*",),
    "kubernetes": ("kubernetes/*",),
    "logs": ("alerts/loki/*",),
    "routes": ("alerts/alertmanager.yml", "alerts/templates/*", "alerts/tests/routes.yml"),
    "rules": ("alerts/prometheus/*",),
    "runbooks": ("runbooks/*",),
    "tests": ("alerts/tests/*",),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen kinds, services and patterns of paths; of each that is given, an artefact must fit one."""

    kinds: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Sequence[str], services: Collection[str]) -> Selection:
        """Read `words`: a kind, one of `services`, or a path (a directory or a pattern, with a slash or star).

        Raises `ConfigError` for a word that is none of them.
        """
        kinds, chosen, patterns = set(), set(), []
        for word in words:
            if "/" in word or "*" in word or word == "alerts":
                patterns.append(word.rstrip("/"))
            elif word in KINDS:
                kinds.add(word)
            elif word in services:
                chosen.add(word)
            else:
                raise ConfigError(
                    f"--only: {word!r} is no kind ({', '.join(KINDS)}), no service of the specs and no path",
                    hint=suggest(word, [*KINDS, *services]),
                )
        return cls(frozenset(kinds), frozenset(chosen), tuple(patterns))

    def __bool__(self) -> bool:
        return bool(self.kinds or self.services or self.patterns)

    def has_service(self, name: str) -> bool:
        """Tell whether artefacts of that service may be among them."""
        return not self.services or name in self.services

    def has_kind(self, kind: str) -> bool:
        """Tell whether artefacts of that kind may be among them."""
        return not self.kinds or kind in self.kinds

    @property
    def has_shared(self) -> bool:
        """Whether artefacts of no single service may be among them."""
        return not self.services

    def has_path(self, path: PurePosixPath) -> bool:
        """Tell whether kind and path are chosen."""
        text = str(path)
        return (not self.kinds or kind_of(text) in self.kinds) and (
            not self.patterns or any(_fits(text, pattern) for pattern in self.patterns)
        )

    def has_orphan(self, path: PurePosixPath, services: Iterable[str]) -> bool:
        """Tell whether a file that nothing produces is chosen; `services` are all that there are."""
        return self.has_path(path) and (not self.services or owner_of(path, services) in self.services)


def kind_of(path: str) -> str:
    """Return the kind of the artefact at `path`; empty when nothing is generated there."""
    return next(
        (kind for kind, patterns in KINDS.items() if any(fnmatchcase(path, one) for one in patterns)), ""
    )


def owner_of(path: PurePosixPath, services: Iterable[str]) -> str:
    """Return the service whose file a path names; the longest name that fits, or empty."""
    of_runbook = path.parts[0] == "runbooks" and len(path.parts) > 2
    name = path.parts[1] if of_runbook else path.stem.removesuffix("_test")
    fitting = [service for service in services if name == service or name.startswith(f"{service}-")]
    return max(fitting, key=len, default="")


def strangers(paths: Iterable[PurePosixPath], services: Iterable[str]) -> dict[str, int]:
    """Return the services that `paths` name and that are none of `services`: name -> number of their files.

    Folders of runbooks and names of dashboards tell a service ``shop-api`` from a file of ``shop``. A file
    whose service nothing tells counts under its own name.
    """
    known = {*services, FLEET}
    paths = tuple(paths)
    told = {name for path in paths if (name := _told(path)) and name not in known}
    told -= {f"{FLEET}-slos"}
    found: Counter[str] = Counter()
    for path in paths:
        if path.parts[0] != "runbooks" or len(path.parts) > 2:
            owner = owner_of(path, {*known, *told})
            if owner not in known:
                found[owner or path.stem] += 1
    return dict(sorted(found.items()))


def _told(path: PurePosixPath) -> str:
    """Return the service that a path tells for certain; empty where it only begins with a name."""
    if path.parts[0] == "runbooks":
        return path.parts[1] if len(path.parts) > 2 else ""
    return path.stem if path.parts[0] == "dashboards" else ""


def _fits(path: str, pattern: str) -> bool:
    return path == pattern or path.startswith(f"{pattern}/") or fnmatchcase(path, pattern)
