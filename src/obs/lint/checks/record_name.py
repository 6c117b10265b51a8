"""A recorded series whose name does not say what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project

#: level:metric:operations, the convention of Prometheus for recorded series; nothing is left of no label.
_NAME = re.compile(r"(?:[a-zA-Z_][a-zA-Z0-9_]*)?:[a-zA-Z0-9_]+:[a-zA-Z0-9_:]+\Z")
#: Facts recorded with a constant value.
_FACT = "_info"


def _run(project: Project) -> Iterator[Finding]:
    for rule in project.rules:
        name = rule.name.value
        if not rule.is_alert and not _NAME.match(name) and not name.endswith(_FACT):
            yield Finding(
                rule.name.span,
                f"recorded name {name!r} is not level:metric:operations",
                "such as job:http_requests:rate5m: kept labels, what was measured, what was done to it",
                # Whoever left one of the parts out knows the convention; and renaming breaks whoever reads it.
                severity="info" if ":" in name else None,
            )


CHECK = Check("record-name", "warning", ("rules",), _run)
