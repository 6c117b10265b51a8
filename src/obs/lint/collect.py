"""Paths -> documents: finds the files, bounds them, and has each read by what its content is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from obs.errors import ConfigError
from obs.generate.model import Place
from obs.lint.check import Finding
from obs.lint.project import Document
from obs.lint.read import kinds
from obs.lint.settings import FILE, Settings
from obs.lint.source import Source

#: Larger than any file that people or generators write; one beyond it is named and left out.
MAX_BYTES = 64_000_000
#: What begins like this holds no files of the project.
_HIDDEN = (".", "node_modules", "__pycache__")


def documents(
    paths: Sequence[Path], settings: Settings, texts: Mapping[str, str] | None = None
) -> Iterator[Document]:
    """Yield what the files under `paths` are; `texts` stand in for the files of those names.

    Raises `ConfigError` for a path that does not exist or cannot be read, and when nothing can be linted.
    """
    found = 0
    for path in _files(paths):
        name = path.as_posix()
        if settings.skips(name):
            continue
        given = (texts or {}).get(name)
        for document in kinds.read(Source(name, given)) if given is not None else _read(path, name):
            found += 1
            yield document
    if not found:
        where = ", ".join(map(str, paths))
        hint = "rules, promtool tests, dashboards, Alertmanager's configuration, runbooks, specs"
        raise ConfigError("nothing here that can be linted", where, f"expected {hint}")


def _read(path: Path, name: str) -> Iterable[Document]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read: {error.strerror}", name) from None
    if len(data) > MAX_BYTES:
        return _broken(name, Place(name, 1, 1), f"larger than {MAX_BYTES:,} bytes: not looked at")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _broken(name, Place(name, line, 1), "not UTF-8 text")
    return kinds.read(Source(name, text))


def _broken(name: str, place: Place, message: str) -> list[Document]:
    return [Document(Source(name, ""), "rules", None, (("broken-yaml", Finding(place, message)),))]


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return every file once, under the first name that leads to it, in the order of the paths."""
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if _wanted(file, path)]
        elif path.exists():
            inside = [path]
        else:
            raise ConfigError("no such file or directory", str(path))
        for file in inside:
            found.setdefault(_identity(file), file)
    return list(found.values())


def _identity(file: Path) -> str:
    """Return what two names of one file share: a link beside its file would be a copy, and say all twice.

    A runbook is found by its name, and one page may have the names of several alerts.
    """
    return str(file) if file.suffix == ".md" else os.path.realpath(file)


def _wanted(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    return (
        file.suffix in kinds.SUFFIXES
        and file.name != FILE
        and not any(part.startswith(_HIDDEN) for part in parts)
        and file.is_file()
    )
