"""Loads `obs.generate.derive` with one of its modules replaced; no file is touched.

Only the modules that the mistake can reach are loaded afresh: the file's own and whatever imports it.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
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
def fresh() -> Iterator[ModuleType]:
    """Yield the module `rules` of a room of which every module is loaded anew."""
    before = _taken(name for name in list(sys.modules) if name == ROOM or name.startswith(f"{ROOM}."))
    try:
        yield sound()
    finally:
        _put_back(before)


def sound() -> ModuleType:
    """Return the module `rules` of the room as it is."""
    return importlib.import_module(f"{ROOM}.rules")


@contextmanager
def derive_with(path: str, tree: ast.Module) -> Iterator[ModuleType]:
    """Yield the module `rules` of a room in which the file `path` holds `tree`."""
    name = ".".join([ROOM, *Path(path).with_suffix("").parts])
    finder = _Replaced(name, tree, FOLDER / path)
    sound()
    before = _taken(_reached_from(name))
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(f"{ROOM}.rules")
    finally:
        sys.meta_path.remove(finder)
        _taken(_reached_from(name))
        _put_back(before)


def _taken(names: Iterable[str]) -> dict[str, ModuleType]:
    """Take the modules out of `sys.modules` and their packages, and return them."""
    taken = {}
    for name in names:
        module = sys.modules.pop(name, None)
        if module is not None:
            taken[name] = module
    for name in taken:
        package, _, last = name.rpartition(".")
        # `from package import module` looks here first.
        vars(sys.modules.get(package) or taken[package]).pop(last, None)
    return taken


def _put_back(modules: dict[str, ModuleType]) -> None:
    sys.modules.update(modules)
    for name, module in modules.items():
        package, _, last = name.rpartition(".")
        setattr(sys.modules[package], last, module)


@cache
def _reached_from(name: str) -> tuple[str, ...]:
    """Return the module and those that import it, by however many steps."""
    imported = _imports()
    reached = {name}
    while more := {one for one, needs in imported.items() if needs & reached} - reached:
        reached |= more
    return tuple(sorted(reached))


@cache
def _imports() -> dict[str, frozenset[str]]:
    """Return which modules of the room each of them imports, wherever in its text."""
    names = {_name_of(path): path for path in FOLDER.rglob("*.py")}
    return {name: frozenset(_needs(path, names)) for name, path in names.items()}


def _name_of(path: Path) -> str:
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join([ROOM, *(part for part in parts if part != "__init__")])


def _needs(path: Path, names: Iterable[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
            yield from (name for name in whole if name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
