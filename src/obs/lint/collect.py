"""Paths -> documents: finds the files, bounds them, and has each read by what its content is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

    Raises `ConfigError` for a path that does not exist, cannot be read, or was named and is nothing to lint.
    """
    for path, named in _files(paths).items():
        name = path.as_posix()
        if settings.skips(name):
            continue
        given = (texts or {}).get(name)
        document = kinds.read(Source(name, given)) if given is not None else _read(path, name)
        if document is not None:
            yield document
        elif named:
            raise ConfigError("nothing that can be linted: no rules, tests, dashboard, routes or spec", name)


def _read(path: Path, name: str) -> Document | None:
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


def _broken(name: str, place: Place, message: str) -> Document:
    return Document(Source(name, ""), "rules", None, (("broken-yaml", Finding(place, message)),))


def _files(paths: Sequence[Path]) -> dict[Path, bool]:
    """Return every file once, and whether somebody named it."""
    found: dict[Path, bool] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if _wanted(file, path))
            found.update({file: False for file in inside if file not in found})
        elif path.exists():
            found[path] = True
        else:
            raise ConfigError("no such file or directory", str(path))
    return found


def _wanted(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    return (
        file.suffix in kinds.SUFFIXES
        and file.name != FILE
        and not any(part.startswith(_HIDDEN) for part in parts)
        and file.is_file()
    )
