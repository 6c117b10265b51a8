"""A critical service without an objective."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.specs import SpecFile


def _run(project: Project) -> Iterator[Finding]:
    for spec in project.of(SpecFile):
        service = spec.service
        if service is not None and service.tier == "critical" and not service.slos:
            message = f"{service.name} is critical and promises nothing: it has no objective"
            yield Finding(service.place, message, "slos: {availability: ...}", length=len(service.name))


CHECK = Check("service-without-slo", "info", ("spec",), _run)
