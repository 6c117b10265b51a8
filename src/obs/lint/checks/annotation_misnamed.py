"""An annotation under a name that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.meant import annotation
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.source import Text

_LINKS = ("http://", "https://")


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        for name, entry in alert.annotations.items():
            usual = annotation(name)
            if not usual or usual in alert.annotations:
                continue
            if usual == "dashboard_url" and not alert.annotation(name).startswith(_LINKS):
                continue
            yield Finding(
                entry.key.span,
                f"annotation {name!r}: templates of notifications, consoles and checks read {usual!r}",
                fix=_renamed(entry.key, usual),
            )


def _renamed(key: Text, name: str) -> Fix:
    return Fix(f"rename it to {name}", (Edit(key.start, key.end, name),))


CHECK = Check("annotation-misnamed", "warning", ("rules",), _run)
