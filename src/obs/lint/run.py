"""Paths -> problems: finds the files, has them read, runs every check, applies settings."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import ConfigError
from obs.generate.model import Place
from obs.lint.check import Check, Finding
from obs.lint.contract import Contract
from obs.lint.problem import Problem, Severity
from obs.lint.project import Document, Project
from obs.lint.read import kinds
from obs.lint.register import all_checks
from obs.lint.settings import Settings
from obs.lint.source import Source, Span

#: Larger than any file that people or generators write; a file beyond it is named and left out.
MAX_BYTES = 64_000_000
_HIDDEN = (".", "node_modules", "__pycache__")


@dataclass(frozen=True)
class Report:
    """What one run found, in the order of the files."""

    problems: tuple[Problem, ...]
    #: What was looked at.
    documents: tuple[Document, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)


def lint(
    paths: Sequence[Path],
    *,
    settings: Settings | None = None,
    contract: Contract | None = None,
    today: datetime.date | None = None,
) -> Report:
    """Return every problem of the files under `paths`.

    Raises `ConfigError` for a path that does not exist or cannot be read.
    """
    chosen = settings or Settings()
    documents = tuple(_documents(paths, chosen))
    project = Project(documents, chosen, contract, today=today or datetime.date.min)
    problems = [*_broken(project), *_checked(project, all_checks())]
    kept = (problem for problem in problems if not chosen.disables(problem.check, problem.place.file))
    return Report(
        tuple(sorted(kept, key=lambda problem: problem.order)),
        documents,
        {document.file: document.source for document in documents},
    )


def _checked(project: Project, checks: Iterable[Check]) -> Iterator[Problem]:
    for check in checks:
        if check.needs == "live" and project.live is None:
            continue
        if check.needs == "contract" and project.contract is None:
            continue
        for finding in check.run(project):
            yield _problem(check.id, check.severity, finding, project.settings)


def _broken(project: Project) -> Iterator[Problem]:
    severities = {check.id: check.severity for check in all_checks()}
    for document in project.documents:
        for id_, finding in document.broken:
            yield _problem(id_, severities[id_], finding, project.settings)


def _problem(id_: str, severity: Severity, finding: Finding, settings: Settings) -> Problem:
    at = finding.at
    place, length = (at.place, at.length) if isinstance(at, Span) else (at, finding.length)
    chosen = settings.severity.get(id_)
    return Problem(
        id_,
        chosen if chosen is not None and chosen != "off" else finding.severity or severity,
        place,
        finding.message,
        finding.hint,
        length,
        finding.fix,
    )


def _documents(paths: Sequence[Path], settings: Settings) -> Iterator[Document]:
    for path in _files(paths):
        name = path.as_posix()
        if settings.skips(name):
            continue
        document = _read(path, name)
        if document is not None:
            yield document


def _read(path: Path, name: str) -> Document | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read: {error.strerror}", name) from None
    if len(data) > MAX_BYTES:
        source = Source(name, "")
        message = f"larger than {MAX_BYTES:,} bytes: not looked at"
        return Document(source, "rules", None, (("broken-yaml", Finding(Place(name, 1, 1), message)),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        finding = Finding(Place(name, line, 1), "not UTF-8 text")
        return Document(Source(name, ""), "rules", None, (("broken-yaml", finding),))
    return kinds.read(Source(name, text))


def _files(paths: Sequence[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if _wanted(file, path))
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise ConfigError("no such file or directory", str(path))
    return list(found)


def _wanted(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    return (
        file.suffix in kinds.SUFFIXES
        and file.is_file()
        and not any(part.startswith(_HIDDEN) for part in parts)
    )
