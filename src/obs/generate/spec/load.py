"""Paths -> services: finds the files, follows `extends`, refuses duplicates.

A directory stands for its ``*.yml`` files; one named ``defaults.yml`` only serves `extends`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from obs.errors import SpecError
from obs.generate.model import Service, Slo
from obs.generate.spec import document, fields, service, tree
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
    for path in files(paths):
        root = merged(path)
        # An overlay that nobody has chosen today must not be broken the day somebody does.
        for name in tree.environments(root):
            if name != environment:
                service.read(root, name, links or {})
        found = service.read(root, environment, links or {})
        twin = services.get(found.name)
        if twin is not None:
            raise SpecError(
                f"service {found.name!r} is declared twice",
                str(found.place),
                f"the other one is at {twin.place}",
            )
        services[found.name] = found
    chosen = [services[name] for name in sorted(services)]
    _check_ids(chosen)
    return chosen


def _check_ids(services: Sequence[Service]) -> None:
    """Refuse two objectives whose ids (service, dash, objective) are the same: their series would be, too."""
    taken: dict[str, Slo] = {}
    for found in services:
        for slo in found.slos:
            twin = taken.setdefault(f"{found.name}-{slo.name}", slo)
            if twin is not slo:
                raise SpecError(
                    f"objective {slo.name!r} of {found.name} has the id {found.name}-{slo.name}, which another has",
                    str(slo.place),
                    f"the other one is at {twin.place}; rename one of them",
                )


def files(paths: Sequence[Path]) -> list[Path]:
    """Return the spec files that `paths` name, each once; raise `SpecError` where there is none."""
    found: dict[Path, Path] = {}
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
            found.setdefault(_real(file), file)
    if not found:
        raise SpecError("no spec given")
    return list(found.values())


def merged(path: Path) -> Node:
    """Return the spec in `path` laid upon the files that it extends."""
    return _merged(path, ())


def _merged(path: Path, chain: tuple[Path, ...]) -> Node:
    root = document.read(path)
    entry = fields.mapping(root, "the spec").get("extends")
    if entry is None:
        return root
    here = (*chain, _real(path))
    base: Node | None = None
    # Of several files, each stands above those before it.
    for written in (
        fields.texts(entry.node, "extends") if isinstance(entry.node.value, tuple) else (entry.node,)
    ):
        below = _below(written, path, here)
        base = below if base is None else document.merge(base, below)
    own = _without(root, "extends")
    return own if base is None else document.merge(_without(base, "extends"), own)


def _below(node: Node, path: Path, here: tuple[Path, ...]) -> Node:
    """Return the file that `node`, of the spec in `path`, extends."""
    written = fields.text(node, "extends")
    below = path.parent / written
    if _real(below) in here:
        raise fields.refuse(node, f"extends: {written!r} leads back to this file")
    if len(here) > _MAX_CHAIN:
        raise fields.refuse(node, f"extends: more than {_MAX_CHAIN} files in a row")
    try:
        there = below.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise fields.refuse(node, f"extends: there is no file {written!r} beside this one")
    return _merged(below, here)


def _real(path: Path) -> Path:
    """Return what `path` leads to; a loop of links leads nowhere, which is for its reader to say."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def _without(node: Node, key: str) -> Node:
    assert isinstance(node.value, Mapping)  # noqa: S101 - the caller has read it as one
    kept: dict[str, Entry] = {name: entry for name, entry in node.value.items() if name != key}
    return Node(node.place, kept)
