"""What a file is, by its content, and which reader reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from obs.lint.check import Finding, Kind
from obs.lint.project import Document
from obs.lint.read import (
    alertmanager,
    alertmanager_resource,
    dashboards,
    kubernetes,
    rules,
    runbooks,
    specs,
    tests,
    yaml_tree,
)
from obs.lint.read.json_tree import BrokenJson, Tree
from obs.lint.read.yaml_tree import BrokenYaml, Node
from obs.lint.source import Source

#: Suffixes of files that a directory is searched for.
SUFFIXES = (".yml", ".yaml", ".json", ".md", ".rules")


def read(source: Source) -> Iterator[Document]:
    """Yield what the file is and holds, and every file that stands in it as a text; nothing for any other."""
    if source.name.endswith(".md"):
        yield from _markdown(source)
    elif source.name.endswith(".json") or source.text.lstrip().startswith("{"):
        yield from _json(source)
    else:
        yield from _yaml(source)


def _yaml(source: Source) -> Iterator[Document]:
    try:
        documents = list(kubernetes.objects(yaml_tree.documents(source)))
    except BrokenYaml as error:
        yield from _broken(source, error)
        return
    left = documents
    for tells, kind, reader in _YAML:
        found = [document for document in left if tells(document)]
        left = [document for document in left if document not in found] if found else left
        if kind == "alertmanager" and len(found) > 1 and reader is alertmanager_resource.read:
            yield from (Document(source, kind, reader(source, [one])) for one in found)
        elif found:
            yield Document(source, kind, reader(source, found))
    for document in left if source.outer is source else ():
        for inner in kubernetes.files(document):
            yield from read(inner)


def _broken(source: Source, error: BrokenYaml) -> Iterator[Document]:
    kind = _guess(source)
    # An object may carry files of any program, and templates of such files.
    if kind is None and source.outer is not source:
        return
    # Which line is a secret nobody can tell of a file that cannot be read.
    secret = kind == "alertmanager" or bool(_SECRET.search(source.line(error.line)))
    # What nobody can tell the kind of, or what is filled in later, may be right.
    sure = kind is not None and not _TEMPLATE.search(source.text)
    finding = Finding(error.at, error.message, secret=secret, severity=None if sure else "warning")
    yield Document(source, kind or "rules", None, (("broken-yaml", finding),))


def _json(source: Source) -> Iterator[Document]:
    """Read a dashboard; other JSON is YAML as well."""
    try:
        tree = Tree(source)
    except BrokenJson as error:
        # A file of any program may be called .json, and may hold comments: only dashboards are ours to judge.
        if any(word in source.text for word in ('"panels"', '"schemaVersion"', '"gridPos"')):
            yield Document(source, "dashboard", None, (("broken-yaml", Finding(error.at, str(error))),))
        return
    data = tree.root.data
    if dashboards.is_v2(data):
        message = "a dashboard of schema v2: obs reads classic dashboards only, nothing here is checked"
        finding = Finding(
            tree.root.head, message, "export it as classic JSON, which file provisioning wants too"
        )
        yield Document(source, "dashboard", None, (("dashboard-not-read", finding),))
    elif dashboards.is_dashboard(data):
        yield Document(source, "dashboard", dashboards.read(tree))
    elif isinstance(data, dict) and data.keys() & _YAML_KEYS:
        yield from _yaml(source)


def _markdown(source: Source) -> Iterator[Document]:
    """Read a runbook; other pages are left alone."""
    page = runbooks.read(source)
    if runbooks.is_runbook(page):
        yield Document(source, "runbook", page)


def _guess(source: Source) -> Kind | None:
    """Return what a broken file was meant to be, by its first keys; None where they say nothing."""
    for line in source.text.splitlines():
        key = line.split(":")[0].strip()
        for words, kind in _FIRST_KEYS.items():
            if key in words:
                return kind
    return None


_SECRET = re.compile(r"pass|secret|token|key|credential|webhook|auth|://[^/\s]*@", re.IGNORECASE)
#: Lines that a program of templates takes out before anybody reads the file.
_TEMPLATE = re.compile(r"^\s*(?:\{%|\{\{-? *(?:if|range|with|end|define|include)\b)", re.MULTILINE)
#: What files in JSON hold that are read as YAML.
_YAML_KEYS = frozenset({"groups", "rule_files", "route", "spec", "data", "stringData", "items"})
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
#: Tried in this order; the first that recognises a document reads it.
_YAML: tuple[tuple[Callable[[Node], bool], Kind, Reader], ...] = (
    (_is_tests, "tests", tests.read),
    (_is_rules, "rules", rules.read),
    (alertmanager.is_configuration, "alertmanager", alertmanager.read),
    (alertmanager_resource.is_part, "alertmanager", alertmanager_resource.read),
    (specs.is_spec, "spec", specs.read),
)
