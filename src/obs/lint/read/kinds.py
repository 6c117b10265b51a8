"""What a file is, by its content, and which reader reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from obs.lint.check import Finding, Kind
from obs.lint.project import Document
from obs.lint.read import alertmanager, dashboards, rules, runbooks, specs, tests, yaml_tree
from obs.lint.read.json_tree import BrokenJson, Tree
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
        # Which line is a secret nobody can tell of a file that cannot be read.
        secret = kind == "alertmanager" or bool(_SECRET.search(source.line(error.place.line)))
        finding = Finding(error.place, error.message, secret=secret)
        return Document(source, kind, None, (("broken-yaml", finding),))
    for tells, kind, reader in _YAML:
        if any(tells(document) for document in documents):
            return Document(source, kind, reader(source, documents))
    return None


def _json(source: Source) -> Document | None:
    """Read a dashboard; other JSON is YAML as well."""
    try:
        tree = Tree(source)
    except BrokenJson as error:
        # A file of any program may be called .json, and may hold comments: only dashboards are ours to judge.
        if not any(word in source.text for word in ('"panels"', '"schemaVersion"', '"gridPos"')):
            return None
        return Document(source, "dashboard", None, (("broken-yaml", Finding(error.at, str(error))),))
    data = tree.root.data
    if dashboards.is_v2(data):
        message = "a dashboard of schema v2: obs reads classic dashboards only, nothing here is checked"
        finding = Finding(
            tree.root.head, message, "export it as classic JSON, which file provisioning wants too"
        )
        return Document(source, "dashboard", None, (("dashboard-not-read", finding),))
    if dashboards.is_dashboard(data):
        return Document(source, "dashboard", dashboards.read(tree))
    return _yaml(source) if isinstance(data, dict) and data.keys() & _YAML_KEYS else None


def _markdown(source: Source) -> Document | None:
    """Read a runbook; other pages are left alone."""
    page = runbooks.read(source)
    return Document(source, "runbook", page) if runbooks.is_runbook(page) else None


def _guess(source: Source) -> Kind:
    """Return what a broken file was meant to be, by its first keys."""
    for line in source.text.splitlines():
        key = line.split(":")[0].strip()
        for words, kind in _FIRST_KEYS.items():
            if key in words:
                return kind
    return "rules"


_SECRET = re.compile(r"pass|secret|token|key|credential|webhook|auth|://[^/\s]*@", re.IGNORECASE)
#: What files in JSON hold that are read as YAML.
_YAML_KEYS = frozenset({"groups", "rule_files", "route", "spec"})
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
    (alertmanager.is_configuration, "alertmanager", alertmanager.read),
    (specs.is_spec, "spec", specs.read),
)
