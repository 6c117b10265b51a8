"""A capture as a file: `<engine>-<version>.json` beside this module."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs.catalogue.captured.exposition import Family
from obs.errors import ConfigError

FORMAT = "obs.capture/v1"
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Capture:
    """What one version of an engine tells about itself."""

    engine: str
    version: str
    families: tuple[Family, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.engine}-{self.version}.json"

    def find(self, name: str) -> Family | None:
        """Return the family of that name, or None."""
        return next((family for family in self.families if family.name == name), None)


def dumps(capture: Capture) -> str:
    """Return the text of the capture's file, one line a metric, the same bytes for the same metrics."""
    rows = ",\n".join(f"    {json.dumps(_row(family))}" for family in capture.families)
    head = json.dumps({"format": FORMAT, "engine": capture.engine, "version": capture.version})[1:-1]
    return f'{{{head}, "metrics": [\n{rows}\n]}}\n'


def loads(text: str, where: str) -> Capture:
    """Read a capture back; raise `ConfigError` when it is none."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ConfigError(f"not a capture: expected format {FORMAT!r}", where)
        return Capture(data["engine"], data["version"], tuple(_family(row) for row in data["metrics"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"not a capture: {error!r}", where, "python -m obs.stack.capture writes one"
        ) from None


def committed() -> tuple[Capture, ...]:
    """Return the captures that ship with obs, ordered by engine and version."""
    return tuple(loads(path.read_text(encoding="utf-8"), str(path)) for path in sorted(FOLDER.glob("*.json")))


def vanished(before: Capture, now: Capture, names: Sequence[str] | None = None) -> list[str]:
    """Return what `before` holds and `now` does not, in words: a metric, a label, a bound, or another type.

    With `names`, only these metrics are looked at.
    """
    found: list[str] = []
    for family in before.families:
        if names is not None and family.name not in names:
            continue
        fresh = now.find(family.name)
        if fresh is None:
            found.append(f"{family.name} is not there any more")
            continue
        if fresh.type != family.type:
            found.append(f"{family.name} was a {family.type} and is a {fresh.type}")
        found += [
            f"{family.name} has lost the label {label}"
            for label in family.labels
            if label not in fresh.labels
        ]
        found += [
            f"{family.name} has lost the bound {bound:g}"
            for bound in family.buckets
            if bound not in fresh.buckets
        ]
    return found


def _row(family: Family) -> dict[str, Any]:
    row: dict[str, Any] = {"name": family.name, "type": family.type}
    if family.unit:
        row["unit"] = family.unit
    if family.labels:
        row["labels"] = list(family.labels)
    if family.buckets:
        row["buckets"] = list(family.buckets)
    return row


def _family(row: dict[str, Any]) -> Family:
    return Family(
        row["name"],
        row["type"],
        row.get("unit", ""),
        tuple(row.get("labels", ())),
        tuple(float(bound) for bound in row.get("buckets", ())),
    )
