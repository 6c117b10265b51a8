"""`contract:` of a spec: which signals there are."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from obs.catalogue import Registry, contract
from obs.catalogue.everything import everything, with_platform
from obs.generate.spec import fields
from obs.generate.spec.document import Entry

#: What a spec says whose service is instrumented with something else: only what `mapping` names exists.
NONE = "none"


def read(entry: Entry | None) -> Registry:
    """Return the signals of the contract with those of engines, by default all that obs has a name for.

    The registry is shared by all specs of one contract: never add to it.
    """
    if entry is None or entry.node.value == NONE:
        return _bundled()
    written = fields.text(entry.node, "contract")
    path = Path(entry.node.place.file).parent / written
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        raise fields.refuse(
            entry.node, f"contract: cannot read {written!r}", "obs catalogue export --out FILE writes one"
        ) from None
    return _loads(text, str(path))


def is_none(entry: Entry | None) -> bool:
    """Tell whether the spec says that no contract holds."""
    return entry is not None and entry.node.value == NONE


@lru_cache(maxsize=1)
def _bundled() -> Registry:
    return everything()


@lru_cache(maxsize=16)
def _loads(text: str, path: str) -> Registry:
    return with_platform(contract.loads(text, path))
