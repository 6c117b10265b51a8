"""What a file is, by its content, and which reader reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from obs.lint.check import Finding, Kind
from obs.lint.project import Document
from obs.lint.read import rules, tests, yaml_tree
from obs.lint.read.yaml_tree import BrokenYaml, Node
from obs.lint.source import Source

#: Suffixes of files that a directory is searched for.
SUFFIXES = (".yml", ".yaml", ".json", ".md", ".rules")


def read(source: Source) -> Document | None:
    """Return what the file is and holds; None when it is nothing that is linted."""
    stripped = source.text.lstrip()
    if source.file.endswith(".md"):
        return _markdown(source)
    if source.file.endswith(".json") or stripped.startswith("{"):
        return _json(source)
    return _yaml(source)


def _yaml(source: Source) -> Document | None:
    try:
        documents = yaml_tree.documents(source)
    except BrokenYaml as error:
        kind = _guess(source)
        finding = Finding(error.place, error.message)
        return Document(source, kind, None, (("broken-yaml", finding),))
    for tells, kind, reader in _YAML:
        if any(tells(document) for document in documents):
            return Document(source, kind, reader(source, documents))
    return None


def _json(source: Source) -> Document | None:
    """Read a dashboard or a contract."""
    return None


def _markdown(source: Source) -> Document | None:
    """Read a runbook."""
    return None


def _guess(source: Source) -> Kind:
    """Return what a broken file was meant to be, by its first keys."""
    for line in source.text.splitlines():
        key = line.split(":")[0].strip()
        for words, kind in _FIRST_KEYS.items():
            if key in words:
                return kind
    return "rules"


_FIRST_KEYS: dict[tuple[str, ...], Kind] = {
    ("groups",): "rules",
    ("rule_files", "tests"): "tests",
    ("route", "receivers", "inhibit_rules"): "alertmanager",
    ("version", "service"): "spec",
}


def _is_rules(document: Node) -> bool:
    return rules.groups_of(document) is not None


def _is_tests(document: Node) -> bool:
    return document.get("tests") is not None and document.get("rule_files") is not None


Reader = Callable[[Source, "list[Node]"], Any]
#: Tried in this order; the first that recognises a document of the file reads all of it.
_YAML: tuple[tuple[Callable[[Node], bool], Kind, Reader], ...] = (
    (_is_tests, "tests", tests.read),
    (_is_rules, "rules", rules.read),
)
