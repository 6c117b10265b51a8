"""Which alerts a test of promtool has seen fire: those of the very file that the test loads, not of a copy."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from obs.lint.project import Project
from obs.lint.read.rules import Rule, RuleFile
from obs.lint.read.tests import Firing, TestFile


def tested(project: Project) -> set[int]:
    """Return the `id` of every alert that some test expects to fire."""
    found: set[int] = set()
    files = {Path(file.source.file).resolve(): file for file in project.of(RuleFile)}
    for test in project.of(TestFile):
        firings: dict[str, list[Firing]] = {}
        for firing in test.firings:
            firings.setdefault(firing.name, []).append(firing)
        for path in _loaded(test, files):
            for alert in files[path].rules:
                if alert.is_alert and any(_is(alert, one) for one in firings.get(alert.name.value, ())):
                    found.add(id(alert))
    return found


def _loaded(test: TestFile, files: Iterable[Path]) -> set[Path]:
    folder = Path(test.source.file).parent
    patterns = [str((folder / text.value).resolve()) for text in test.rule_files]
    return {path for path in files if any(str(path) == one or fnmatch(str(path), one) for one in patterns)}


def _is(alert: Rule, firing: Firing) -> bool:
    """Tell whether what fires can be this alert: namesakes differ in a label that the rule writes down."""
    names = {*alert.labels, *alert.group.labels}
    own = {name: alert.label(name) for name in names}
    return all("{{" in value or firing.labels.get(name, value) == value for name, value in own.items())
