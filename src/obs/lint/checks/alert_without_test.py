"""An alert that nobody has ever seen fire."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import customs
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.rules import Rule, RuleFile
from obs.lint.read.tests import TestFile


def _run(project: Project) -> Iterator[Finding]:
    tests = project.of(TestFile)
    tested = {name for test in tests for name in test.alerts}
    # promtool cannot run queries of logs.
    files = [file for file in project.of(RuleFile) if file.language == "promql"]
    alerts = [alert for file in files for alert in file.rules if alert.is_alert]
    found = [_finding(alert, known=bool(tests)) for alert in alerts if alert.name.value not in tested]
    yield from customs.gathered(
        found,
        len(alerts) if not tests else -1,
        "no alert that was read has a test: nobody has seen one fire",
        f"{len(found)} alerts; files for promtool test rules count when they are among the paths",
    )


def _finding(alert: Rule, *, known: bool) -> Finding:
    return Finding(
        alert.name.span,
        f"{alert.name.value} has no test: nobody has seen it fire",
        "a case under alert_rule_test in a file for promtool test rules, among the paths",
        severity=None if known else "info",
    )


CHECK = Check("alert-without-test", "warning", ("rules",), _run)
