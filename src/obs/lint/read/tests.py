"""promtool's test files: which alerts they put to the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from obs.lint.query import Query
from obs.lint.read.yaml_tree import Node
from obs.lint.source import Source, Text

_NAMED = re.compile(r'alertname\s*=\s*"([^"]+)"')


@dataclass(frozen=True, slots=True, eq=False)
class TestFile:
    """One file of tests."""

    __test__ = False  # pytest collects classes by name

    source: Source
    rule_files: tuple[Text, ...]
    #: Names of the alerts whose firing, or silence, is expected somewhere.
    alerts: frozenset[str]

    @property
    def queries(self) -> Iterator[Query]:
        """None: the queries of a test ask its own sample series."""
        return iter(())


def read(source: Source, documents: list[Node]) -> TestFile:
    """Read the names of rule files and alerts; what has another shape is passed over."""
    files: list[Text] = []
    alerts: set[str] = set()
    for document in documents:
        listed = document.get("rule_files")
        files += [item.text for item in (listed.items if listed else ()) if item.text is not None]
        tests = document.get("tests")
        for test in tests.items if tests else ():
            alerts |= _alerts(test)
    return TestFile(source, tuple(files), frozenset(alerts))


def _alerts(test: Node) -> set[str]:
    found: set[str] = set()
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
