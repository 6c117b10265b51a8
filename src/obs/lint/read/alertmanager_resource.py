"""AlertmanagerConfig objects: parts of a configuration that the Prometheus operator joins into one.

Their keys are in camel case, their matchers are mappings, and what they take is of their own namespace: the
operator adds that to the first route of each. What such a route declines goes on to the next object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from obs.lint.read.alertmanager import Configuration, Reader, Written, items, named, value, word
from obs.lint.read.fault import Fault
from obs.lint.read.matchers import Matcher, Operator
from obs.lint.read.yaml_tree import Entry, Node
from obs.lint.source import Source

KIND = "AlertmanagerConfig"
_HUMP = re.compile(r"(?<=[a-z0-9])[A-Z]+")
#: Keys that other names stand for.
_SAME = {"source_match": "source_matchers", "target_match": "target_matchers"}
_OPERATORS: Mapping[str, Operator] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}


def is_part(document: Node) -> bool:
    """Tell whether a YAML document is an AlertmanagerConfig."""
    kind, spec = document.get("kind"), document.get("spec")
    return kind is not None and kind.scalar == KIND and spec is not None and spec.is_mapping


def read(source: Source, documents: Sequence[Node]) -> Configuration:
    """Return the part of a configuration that an object holds."""
    root = documents[0]
    spec = root.get("spec") or root
    reader = _Reader()
    keys = reader.keys(spec)
    route = reader.route(keys["route"].node, None) if "route" in keys else None
    metadata = root.get("metadata")
    of_namespace = metadata.keys.get("namespace") if metadata is not None else None
    place = value(of_namespace)
    if route is not None:
        own = (Written(Matcher("namespace", "=", place.value), place),) if place is not None else ()
        # Not the first route of all: the operator puts it below that one.
        route = replace(route, written=(*route.written, *own), depth=1, goes_on=True)
    return Configuration(
        source=source,
        root=spec,
        route=route,
        receivers=tuple(reader.receiver(node) for node in items(keys.get("receivers"))),
        inhibitions=tuple(reader.inhibition(node) for node in items(keys.get("inhibit_rules"))),
        intervals=named(keys, "mute_time_intervals", "time_intervals"),
        faults=tuple(reader.faults),
        is_part=True,
    )


def snake(key: str) -> str:
    """Return a key in camel case as Alertmanager's own configuration writes it."""
    return _HUMP.sub(lambda hump: f"_{hump[0]}", key).lower()


class _Reader(Reader):
    def keys(self, node: Node) -> Mapping[str, Entry]:
        found = {snake(name): entry for name, entry in node.keys.items()}
        return {_SAME.get(name, name): entry for name, entry in found.items()}

    def matchers(self, own: Mapping[str, Entry], new: str, old: str, old_re: str) -> tuple[Written, ...]:  # noqa: ARG002 - objects never had the old keys
        found = []
        for node in items(own.get(new)):
            keys = node.keys
            text = value(keys.get("value")) or value(keys.get("name"))
            if text is None:
                self.faults.append(Fault("a matcher without a name", node.span))
                continue
            found.append(
                Written(Matcher(word(keys.get("name")), self._operator(keys), word(keys.get("value"))), text)
            )
        return self.judged(found)

    def _operator(self, keys: Mapping[str, Entry]) -> Operator:
        written = word(keys.get("matchType"))
        if written and written not in _OPERATORS:
            entry = keys["matchType"]
            self.faults.append(
                Fault(f"matchType: got {written!r}, expected =, !=, =~ or !~", entry.node.span)
            )
        regular = word(keys.get("regex")).lower() == "true"
        return _OPERATORS.get(written, "=~" if regular else "=")
