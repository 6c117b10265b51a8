"""Links of notifications that lead to the reader's own machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from obs.lint import urls
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.specs import SpecFile

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104 - a name to recognise, nothing listens


def _run(project: Project) -> Iterator[Finding]:
    for spec in project.of(SpecFile):
        service = spec.service
        if service is None:
            continue
        links = {field.name: getattr(service.links, field.name) for field in fields(service.links)}
        local = sorted(name for name, url in links.items() if urls.split(url).hostname in _LOCAL)
        if local:
            message = f"{service.name}: the links to {', '.join(local)} lead to the reader's own machine"
            hint = "links: {grafana: https://grafana.example.com}, also in the file that all specs extend"
            yield Finding(service.place, message, hint, length=len(service.name))


CHECK = Check("links-local", "warning", ("spec",), _run)
