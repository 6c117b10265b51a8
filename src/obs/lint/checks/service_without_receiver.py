"""A service whose pages or tickets nobody is told of."""

from __future__ import annotations

from collections.abc import Iterator

from obs.generate.model import Severity
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.specs import SpecFile

_TOLD: tuple[Severity, ...] = ("page", "ticket")


def _run(project: Project) -> Iterator[Finding]:
    for spec in project.of(SpecFile):
        service = spec.service
        missing = [severity for severity in _TOLD if service is not None and severity not in service.notify]
        if service is not None and missing:
            message = f"{service.name}: nobody is told of alerts of severity {' and '.join(missing)}"
            hint = "notify: {page: pagerduty-team, ticket: slack-team}"
            yield Finding(service.place, message, hint, length=len(service.name))


CHECK = Check("service-without-receiver", "warning", ("spec",), _run)
