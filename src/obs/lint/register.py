"""The checks that exist: every module of `obs.lint.checks`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from obs.errors import ConfigError, suggest
from obs.lint import checks
from obs.lint.check import Check


@lru_cache(maxsize=1)
def all_checks() -> tuple[Check, ...]:
    """Return every check, ordered by id."""
    modules = (
        importlib.import_module(f"{checks.__name__}.{module.name}")
        for module in pkgutil.iter_modules(checks.__path__)
    )
    found: list[Check] = [module.CHECK for module in modules]
    return tuple(sorted(found, key=lambda check: check.id))


def find(id_: str) -> Check:
    """Return the check with that id; raise `ConfigError` with the nearest match."""
    known = {check.id: check for check in all_checks()}
    if id_ not in known:
        raise ConfigError(f"there is no check {id_!r}", hint=suggest(id_, known) or "obs lint --list")
    return known[id_]
