"""A service whose runbooks cannot say how its owner is reached."""

from __future__ import annotations

from collections.abc import Iterator

from obs.generate.model import Owner
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.specs import SpecFile


def _run(project: Project) -> Iterator[Finding]:
    for spec in project.of(SpecFile):
        service = spec.service
        if service is not None and service.owner == Owner():
            message = f"nobody says how team {service.team}, which owns {service.name}, is reached"
            hint = 'owners: {chat: "#payments", rota: https://...}, also in the file that all specs extend'
            yield Finding(service.place, message, hint, length=len(service.name))


CHECK = Check("service-without-owner", "info", ("spec",), _run)
