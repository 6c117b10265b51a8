"""Paths -> services: finds the files, follows `extends`, refuses duplicates.

A directory stands for its ``*.yml`` files; one named ``defaults.yml`` only serves `extends`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from obs.errors import SpecError
from obs.generate.model import Service
from obs.generate.spec import document, fields, service
from obs.generate.spec.document import Entry, Node

DEFAULTS = "defaults.yml"
#: A chain of files longer than this is a mistake, and nobody could follow it.
_MAX_CHAIN = 8


def load(
    paths: Sequence[Path], environment: str | None = None, links: Mapping[str, str] | None = None
) -> list[Service]:
    """Read every service, ordered by name.

    Raises `SpecError` with file, line and column for whatever a person got wrong.
    """
    services: dict[str, Service] = {}
    for path in _files(paths):
        found = service.read(_merged(path, ()), environment, links or {})
        twin = services.get(found.name)
        if twin is not None:
            raise SpecError(
                f"service {found.name!r} is declared twice",
                str(found.place),
                f"the other one is at {twin.place}",
            )
        services[found.name] = found
    return [services[name] for name in sorted(services)]


def _files(paths: Sequence[Path]) -> list[Path]:
    files: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.glob("*.yml") if file.name != DEFAULTS)
            if not inside:
                raise SpecError("no spec here: expected files named *.yml", str(path))
        elif path.exists():
            inside = [path]
        else:
            raise SpecError("no such file or directory", str(path))
        # The same file named twice is one spec; the name that was typed stays in messages.
        for file in inside:
            files.setdefault(_real(file), file)
    if not files:
        raise SpecError("no spec given")
    return list(files.values())


def _merged(path: Path, chain: tuple[Path, ...]) -> Node:
    root = document.read(path)
    entry = fields.mapping(root, "the spec").get("extends")
    if entry is None:
        return root
    written = fields.text(entry.node, "extends")
    below = path.parent / written
    here = (*chain, _real(path))
    if _real(below) in here:
        raise fields.refuse(entry.node, f"extends: {written!r} leads back to this file")
    if len(here) > _MAX_CHAIN:
        raise fields.refuse(entry.node, f"extends: more than {_MAX_CHAIN} files in a row")
    if not below.is_file():
        raise fields.refuse(entry.node, f"extends: there is no file {written!r} beside this one")
    base = _merged(below, here)
    return document.merge(_without(base, "extends"), _without(root, "extends"))


def _real(path: Path) -> Path:
    """Return what `path` leads to; a loop of links leads nowhere, which is for its reader to say."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _without(node: Node, key: str) -> Node:
    assert isinstance(node.value, Mapping)  # noqa: S101 - the caller has read it as one
    kept: dict[str, Entry] = {name: entry for name, entry in node.value.items() if name != key}
    return Node(node.place, kept)
