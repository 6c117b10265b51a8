"""Route `path`: a program that is already installed on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from obs.errors import StackError
from obs.stack.engine import Engine, ask_version
from obs.stack.progress import Report
from obs.stack.table import EngineFacts


def locate(facts: EngineFacts) -> Engine:
    """Return the first program on PATH that runs and is new enough.

    Raises:
        StackError: there is none; the message says why each that was found does not do.
    """
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


def fetch(engines: list[EngineFacts], report: Report | None) -> list[Engine]:  # noqa: ARG001 - a route's signature
    """Return the engines from PATH; see `locate`."""
    return [locate(facts) for facts in engines]
