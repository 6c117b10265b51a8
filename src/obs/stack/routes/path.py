"""Route `path`: a program that is already installed on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from obs.errors import ConfigError, StackError
from obs.stack.engine import Engine, ask_version
from obs.stack.home import named
from obs.stack.progress import Report
from obs.stack.table import EngineFacts
from obs.stack.version import Version


def locate(facts: EngineFacts) -> Engine:
    """Return the program that the user names in the environment, else the first on PATH that does.

    A named one that tells no version, as one built at home may, is taken at the user's word.

    Raises:
        StackError: there is none that runs and is new enough; the message says why each does not do.
    """
    given = named(facts.variable) if facts.variable else None
    if given is not None:
        return Engine(facts.name, given, _version_of_named(given, facts), "path")
    refused = []
    for program in facts.programs:
        found = shutil.which(program)
        if found is None:
            continue
        try:
            version = ask_version(Path(found))
        except StackError as error:
            refused.append(str(error))
            continue
        if version >= facts.floor:
            return Engine(facts.name, Path(found), version, "path")
        refused.append(f"{found} is {version}, expected at least {facts.floor}")
    raise StackError("; ".join(refused) or f"no {' or '.join(facts.programs)} on PATH")


def _version_of_named(program: Path, facts: EngineFacts) -> Version:
    if not program.is_file():
        raise ConfigError(f"{facts.variable} names no file", where=str(program))
    try:
        version = ask_version(program)
    except StackError:
        return facts.floor
    if version < facts.floor:
        raise ConfigError(
            f"{facts.variable} names version {version}, expected at least {facts.floor}", where=str(program)
        )
    return version


def fetch(engines: list[EngineFacts], report: Report | None) -> list[Engine]:  # noqa: ARG001 - a route's signature
    """Return the engines from PATH; see `locate`."""
    return [locate(facts) for facts in engines]
