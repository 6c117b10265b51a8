"""Test files, promtool's and our own for rules of Loki: which alerts they put to the test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from obs.lint.query import Query
from obs.lint.read.yaml_tree import Node
from obs.lint.source import Source, Text

_NAMED = re.compile(r'alertname\s*=\s*"([^"]+)"')


class Firing(NamedTuple):
    """An alert that some test expects to fire, with the labels that the test names."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class TestFile:
    """One file of tests."""

    __test__ = False  # pytest collects classes by name

    source: Source
    rule_files: tuple[Text, ...]
    #: Names of the alerts whose firing, or silence, is expected somewhere.
    alerts: frozenset[str]
    #: Those that are expected to fire.
    firings: tuple[Firing, ...] = ()

    @property
    def queries(self) -> Iterator[Query]:
        """None: the queries of a test ask its own sample series."""
        return iter(())


def read(source: Source, documents: list[Node]) -> TestFile:
    """Read the names of rule files and alerts; what has another shape is passed over."""
    files: list[Text] = []
    alerts: set[str] = set()
    firings: list[Firing] = []
    for document in documents:
        listed = document.get("rule_files")
        files += [item.text for item in (listed.items if listed else ()) if item.text is not None]
        tests = document.get("tests")
        for test in tests.items if tests else ():
            alerts |= _alerts(test)
            firings += _firings(test)
    return TestFile(source, tuple(files), frozenset(alerts), tuple(firings))


def _alerts(test: Node) -> set[str]:
    found: set[str] = {_text(test, "alert")} - {""}
    cases = test.get("alert_rule_test")
    for case in cases.items if cases else ():
        name = case.get("alertname")
        if name is not None and name.text is not None:
            found.add(name.text.value)
    queries = test.get("promql_expr_test")
    for case in queries.items if queries else ():
        expr = case.get("expr")
        if expr is not None and expr.text is not None:
            found.update(_NAMED.findall(expr.text.value))
    return found


def _firings(test: Node) -> Iterator[Firing]:
    for case in _items(test, "alert_rule_test"):
        name = _text(case, "alertname")
        for expected in _items(case, "exp_alerts"):
            labels = expected.get("exp_labels")
            yield Firing(name, _texts(labels) if labels is not None else {})
    # Our own tests of rules for Loki, which no tool of its makers runs.
    for fact in _items(test, "expect"):
        if _text(fact, "state") == "firing":
            yield Firing(_text(test, "alert"), {})
    for case in _items(test, "promql_expr_test"):
        selector = _ALERTS.search(_text(case, "expr"))
        asked = dict(_EQUAL.findall(selector[1])) if selector else {}
        if "alertname" not in asked:
            continue
        for sample in _items(case, "exp_samples"):
            seen = asked | dict(_EQUAL.findall(_text(sample, "labels")))
            if seen.get("alertstate") == "firing":
                yield Firing(asked["alertname"], {key: seen[key] for key in seen if key not in _OWN})


def _items(node: Node, key: str) -> tuple[Node, ...]:
    found = node.get(key)
    return found.items if found is not None else ()


def _text(node: Node, key: str) -> str:
    found = node.get(key)
    return found.text.value if found is not None and found.text is not None else ""


def _texts(node: Node) -> dict[str, str]:
    return {entry.name: entry.node.scalar for entry in node.entries if entry.node.text is not None}


#: Not labels of the alert, but of the series about it.
_OWN = frozenset({"alertname", "alertstate", "__name__"})
_ALERTS = re.compile(r"\bALERTS\s*\{([^}]*)\}")
_EQUAL = re.compile(r'(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"')
