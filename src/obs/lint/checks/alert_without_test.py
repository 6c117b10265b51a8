"""An alert that nobody has ever seen fire."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.rules import RuleFile
from obs.lint.read.tests import TestFile


def _run(project: Project) -> Iterator[Finding]:
    tests = project.of(TestFile)
    tested = {name for test in tests for name in test.alerts}
    for file in project.of(RuleFile):
        if file.language != "promql":
            continue  # promtool cannot run queries of logs
        for alert in file.rules:
            if alert.is_alert and alert.name.value not in tested:
                yield Finding(
                    alert.name.span,
                    f"{alert.name.value} has no test: nobody has seen it fire",
                    "a case under alert_rule_test in a file for promtool test rules, among the paths",
                    severity=None if tests else "info",
                )


CHECK = Check("alert-without-test", "warning", ("rules",), _run)
