"""Objects of Kubernetes: what a list holds, and the files that ConfigMaps and Secrets carry as texts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator

from obs.lint.read.yaml_tree import Entry, Node
from obs.lint.source import Embedded

#: What may be linted of a file's name; a key without one of these must hold JSON.
_SUFFIXES = (".yml", ".yaml", ".json", ".rules", ".md")


def objects(documents: Iterable[Node]) -> Iterator[Node]:
    """Yield every document, and in place of a list of Kubernetes what it lists."""
    for document in documents:
        if _word(document, "kind").endswith("List") and document.get("apiVersion") is not None:
            items = document.get("items")
            yield from items.items if items is not None else ()
        else:
            yield document


def files(item: Node) -> Iterator[Embedded]:
    """Yield the files that an object carries: values of a ConfigMap, of a Secret, of a GrafanaDashboard."""
    kind = _word(item, "kind")
    if kind == "ConfigMap":
        yield from _texts(item, "data")
        yield from _encoded(item, "binaryData")
    elif kind == "Secret":
        yield from _texts(item, "stringData")
        yield from _encoded(item, "data")
    elif kind == "GrafanaDashboard":
        spec = item.get("spec")
        entry = spec.keys.get("json") if spec is not None else None
        text = entry.node.text if entry is not None else None
        if entry is not None and text is not None:
            yield Embedded(item.source.file, text.value, entry.key, text)


def _texts(item: Node, key: str) -> Iterator[Embedded]:
    for entry in _entries(item, key):
        text = entry.node.text
        if text is not None and _may_be_linted(entry.name, text.value):
            yield Embedded(item.source.file, text.value, entry.key, text)


def _encoded(item: Node, key: str) -> Iterator[Embedded]:
    for entry in _entries(item, key):
        text = entry.node.text
        decoded = _decoded(text.value) if text is not None else None
        if text is not None and decoded is not None and _may_be_linted(entry.name, decoded):
            yield Embedded(item.source.file, decoded, entry.key, text, encoded=True)


def _entries(item: Node, key: str) -> list[Entry]:
    found = item.get(key)
    return found.entries if found is not None else []


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        return None


def _may_be_linted(key: str, text: str) -> bool:
    return key.endswith(_SUFFIXES) or text.lstrip().startswith("{")


def _word(node: Node, key: str) -> str:
    found = node.get(key)
    return found.scalar if found is not None else ""
