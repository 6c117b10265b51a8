"""Our own specs: read by the generator's reader, whose errors are problems here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from obs.errors import ObsError
from obs.generate.model import Place, Service
from obs.generate.spec import load
from obs.lint.query import Query
from obs.lint.read.yaml_tree import Node
from obs.lint.source import Source

_WHERE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?\Z")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a spec cannot be understood; it may stand in a file that this one extends."""

    place: Place
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True, eq=False)
class SpecFile:
    """One spec as it was written, and the service that it describes."""

    source: Source
    root: Node
    #: None for a file that only others extend, and for a broken one.
    service: Service | None = None
    refusal: Refusal | None = None

    @property
    def queries(self) -> Iterator[Query]:
        """None: the generator has checked what custom alerts ask."""
        return iter(())

    def node(self, *keys: str) -> Node | None:
        """Return what stands in this file under `keys`, one below the other; None when nothing does."""
        found: Node | None = self.root
        for key in keys:
            found = found.get(key) if found is not None else None
        return found


def is_spec(document: Node) -> bool:
    """Tell whether a YAML document is a spec of ours."""
    version = document.get("version")
    if version is not None and version.text is not None:
        return version.text.value.startswith("obs/")
    service = document.get("service")
    return service is not None and service.is_mapping and document.get("kind") is None


def read(source: Source, documents: Sequence[Node]) -> SpecFile:
    """Read the spec with everything that it extends."""
    root = documents[0]
    service = root.get("service")
    if Path(source.file).name == load.DEFAULTS or service is None or service.get("name") is None:
        named = Path(source.file).name != load.DEFAULTS and root.get("extends") is not None
        if not named:
            return SpecFile(source, root)
    try:
        return SpecFile(source, root, load.load([Path(source.file)])[0])
    except ObsError as error:
        return SpecFile(source, root, None, _refusal(error, source.file))


def _refusal(error: ObsError, file: str) -> Refusal:
    match = _WHERE.match(error.where or file)
    place = Place(file, 1, 1)
    if match is not None:
        place = Place(match["file"], int(match["line"] or 1), int(match["column"] or 1))
    return Refusal(place, error.message, error.hint)
