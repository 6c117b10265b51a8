"""A template that shows a label which the alert's series do not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.errors import suggest
from obs.lint import carried
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.labels import Labels
from obs.lint.read.rules import Rule
from obs.lint.read.yaml_tree import Entry

_USED = re.compile(r"(?:\$labels|\.Labels)\.(\w+)|index\s+\$labels\s+\"(\w+)\"")


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        if alert.query is None or alert.query.language != "promql" or alert.query.parsed.root is None:
            continue
        entries = [
            entry for entry in (*alert.labels.values(), *alert.annotations.values()) if _mentions(entry)
        ]
        if entries:
            labels, own = carried.of_series(alert, project), carried.static(alert, project)
            for entry in entries:
                yield from _missing(entry, alert, labels, own)


def _mentions(entry: Entry) -> bool:
    text = entry.node.scalar
    return "{{" in text and ("$labels" in text or ".Labels" in text)


def _missing(entry: Entry, alert: Rule, labels: Labels, own: frozenset[str]) -> Iterator[Finding]:
    for match in _USED.finditer(entry.node.scalar):
        name = match[1] or match[2]
        given = name in own or name == "alertname"
        if name in labels.names or (labels.is_open and not given):
            continue
        if given:
            message = f"the rule's own label {name!r} is not there in its templates: they see the series only"
            hint: str | None = "write its value out" if "{{" not in alert.label(name) else None
        else:
            message = f"the expression produces no label {name!r}: it will read as nothing"
            hint = suggest(name, labels.names) or f"produced: {', '.join(sorted(labels.names)) or 'none'}"
        text = entry.node.text
        if text is not None:
            yield Finding(text.at(match.start(), len(match.group())), message, hint)


CHECK = Check("unknown-template-label", "error", ("rules",), _run)
