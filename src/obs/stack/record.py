"""What the last `up` of a state directory was asked for, so that `status` can tell what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from obs.errors import StackError
from obs.stack.servers import FULL
from obs.stack.whole import write_whole

RECORD = "stack.json"


@dataclass(frozen=True)
class Record:
    """Servers that were started, those that were left out and why, and what a person should know of others."""

    servers: tuple[str, ...] = FULL
    skipped: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


def read_record(directory: Path) -> Record:
    """Return what the last `up` wrote; where there was none, a stack of which nothing runs."""
    try:
        kept = json.loads((directory / RECORD).read_text(encoding="utf-8"))
        return Record(tuple(map(str, kept["servers"])), dict(kept["skipped"]), dict(kept["notes"]))
    except (OSError, ValueError, KeyError, TypeError):
        # No file, or one that was cut off by a full disk.
        return Record()


def write_record(directory: Path, record: Record) -> None:
    """Keep what `up` was asked for.

    Raises:
        StackError: the state directory cannot be written.
    """
    try:
        write_whole(directory / RECORD, json.dumps(asdict(record), indent=2) + "\n")
    except OSError as error:
        raise StackError(
            f"cannot write the state directory: {error.strerror}", where=str(directory)
        ) from None
