"""A merged spec with the overlay of one environment laid upon it, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from obs.errors import SpecError, suggest
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node, merge
from obs.generate.spec.shape.root import ENVIRONMENT, SPEC


@dataclass(frozen=True, slots=True)
class Tree:
    """The sections of a spec, and those of the environment that was chosen."""

    own: Mapping[str, Entry]
    overlay: Mapping[str, Entry]

    @classmethod
    def of(cls, root: Node, environment: str | None) -> Tree:
        """Return the sections of `root` in `environment`; None chooses none.

        Raises `SpecError` for a key that is unknown, in whichever environment it stands.
        """
        own = fields.mapping(root, "the spec", SPEC.names)
        return cls(own, _overlay(root, own, environment))

    def merged(self, key: str) -> Node | None:
        """Return one section with what the environment says about it; None when neither has it."""
        below, above = self.own.get(key), self.overlay.get(key)
        if below and above:
            return merge(below.node, above.node)
        entry = above or below
        return entry.node if entry else None


def environments(root: Node) -> tuple[str, ...]:
    """Return the names of the environments that a spec declares, in order."""
    own = fields.mapping(root, "the spec")
    return tuple(sorted(_declared(own)))


def _declared(own: Mapping[str, Entry]) -> Mapping[str, Entry]:
    return fields.mapping(own["environments"].node, "environments") if "environments" in own else {}


def _overlay(root: Node, own: Mapping[str, Entry], environment: str | None) -> Mapping[str, Entry]:
    declared = _declared(own)
    overlays = {
        key: fields.mapping(entry.node, f"environments.{key}", ENVIRONMENT.names)
        for key, entry in declared.items()
        if fields.key_name(key, entry, f"environments.{key}")
    }
    if environment is None:
        return {}
    if environment not in overlays:
        section = own.get("environments") or own.get("service")
        where = section.key if section else root.place
        hint = suggest(environment, overlays) or f"declared: {', '.join(sorted(overlays)) or 'none'}"
        raise SpecError(f"environment {environment!r} is not declared", str(where), hint)
    return overlays[environment]
