"""Loads `obs.generate.derive` afresh, with one of its modules replaced; no file is touched."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOM = "obs.generate.derive"
SOURCE = Path(__file__).parents[2] / "src"
FOLDER = SOURCE.joinpath(*ROOM.split("."))


class _Replaced(MetaPathFinder, Loader):
    """Finds one module, and runs another text in its place."""

    def __init__(self, name: str, tree: ast.Module, path: Path) -> None:
        self._name = name
        self._code = compile(tree, str(path), "exec")
        self._path = path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, origin=str(self._path)) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 - running the mutant is the purpose


@contextmanager
def derive_with(path: str | None = None, tree: ast.Module | None = None) -> Iterator[ModuleType]:
    """Yield the module `rules` of a fresh room, in which the file `path` holds `tree`."""
    _forget()
    finder = None
    if path is not None and tree is not None:
        name = ".".join([ROOM, *Path(path).with_suffix("").parts])
        finder = _Replaced(name, tree, FOLDER / path)
        sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(f"{ROOM}.rules")
    finally:
        if finder is not None:
            sys.meta_path.remove(finder)
        _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name == ROOM or name.startswith(f"{ROOM}.")]:
        del sys.modules[name]
