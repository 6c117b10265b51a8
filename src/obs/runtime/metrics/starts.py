"""Notice that this process starts others by `multiprocessing` without forking: no hook tells of that.

The methods spawn and forkserver load a module of their own when they start their first child.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_STARTERS = frozenset({"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"})


class Watch(MetaPathFinder):
    """Calls `notice` once when the first child is about to be started; finds no module itself."""

    def __init__(self, notice: Callable[[], None]) -> None:
        self._notice = notice

    def begin(self) -> None:
        """Watch from now on, or notice at once what has happened already."""
        if _STARTERS & sys.modules.keys():
            self._notice()
        else:
            sys.meta_path.insert(0, self)

    def end(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the import system's own
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Leave every module to the other finders."""
        if fullname in _STARTERS:
            self.end()
            self._notice()
        return None
