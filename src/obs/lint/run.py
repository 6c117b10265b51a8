"""Paths -> problems: reads everything, runs every check, applies comments, settings and baseline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from obs.generate.model import Place
from obs.lint import baseline as baselines
from obs.lint import collect, evidence, recorded, silences
from obs.lint import config as configs
from obs.lint.check import Check, Finding
from obs.lint.contract import Contract
from obs.lint.problem import Problem, Severity
from obs.lint.project import Document, Project
from obs.lint.register import all_checks
from obs.lint.settings import Settings
from obs.lint.silences import Silence
from obs.lint.source import Source, Span

if TYPE_CHECKING:
    from obs.lint.live import Live


@dataclass(frozen=True)
class Report:
    """What one run found, in the order of the files."""

    problems: tuple[Problem, ...]
    project: Project
    #: Hidden by a comment.
    silenced: tuple[Problem, ...] = ()
    #: Known to the baseline.
    known: tuple[Problem, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)


def lint(
    paths: Sequence[Path],
    *,
    contracts: Sequence[Path] = (),
    config: Path | None = None,
    baseline: Path | None = None,
    live: Live | None = None,
    today: dt.date | None = None,
    texts: Mapping[str, str] | None = None,
) -> Report:
    """Return every problem of the files under `paths`.

    `contracts` are contract files, specs, or ``bundled``; specs among the paths are evidence as well.
    `today` decides which snoozes have expired (none, when it is left out); `texts` stand in for files.
    Raises `ConfigError` or `SpecError` for what cannot be read as what it was given as, and `VerifyError`
    when `live` does not answer.
    """
    settings = _settings(config)
    day = today or dt.date.min
    documents = tuple(collect.documents(paths, settings, texts))
    project = _project(documents, settings, contracts, live, day)
    checks = [check for check in all_checks() if _can_run(check, project)]
    problems = _concealed([*_broken(project), *_checked(project, checks)])
    problems = [one for one in problems if not settings.disables(one.check, one.place.file)]
    found, malformed = _silences(documents)
    problems, silenced = silences.hidden(problems, found, day)
    problems += _of_the_comments(project, found, malformed, {check.id for check in checks})
    kept = (
        baselines.unknown(problems, baselines.read(baseline), baseline.parent)
        if baseline is not None
        else problems
    )
    known = set(map(id, problems)) - set(map(id, kept))
    return Report(
        problems=tuple(sorted(kept, key=lambda problem: problem.order)),
        project=project,
        silenced=tuple(silenced),
        known=tuple(problem for problem in problems if id(problem) in known),
        sources=_sources(documents),
    )


def _sources(documents: Iterable[Document]) -> dict[str, Source]:
    """Return the files on disk; of several texts in one file that file."""
    return {document.file: document.source.outer for document in documents}


def _settings(path: Path | None) -> Settings:
    return configs.read(path) if path is not None else Settings()


def _project(
    documents: tuple[Document, ...],
    settings: Settings,
    contracts: Sequence[Path],
    live: Live | None,
    today: dt.date,
) -> Project:
    given = evidence.of_files(contracts)
    specs = evidence.of_specs(document.file for document in documents if document.kind == "spec")
    contract = given.joined(specs) if given is not None and specs is not None else given or specs
    project = Project(documents, settings, None, live, today)
    if contract is None:
        return project
    contract = Contract(contract.metrics, contract.added | settings.labels, contract.intervals)
    contract = contract.recording(recorded.metrics(project.rules, contract))
    return Project(documents, settings, contract, live, today)


def _can_run(check: Check, project: Project) -> bool:
    if not project.has(check.kinds):
        return False
    if check.needs == "live":
        return project.live is not None
    return check.needs != "contract" or project.contract is not None


def _checked(project: Project, checks: Iterable[Check]) -> Iterator[Problem]:
    for check in checks:
        for finding in check.run(project):
            yield _problem(check.id, check.severity, finding, project.settings)


def _broken(project: Project) -> Iterator[Problem]:
    for document in project.documents:
        for id_, finding in document.broken:
            yield _problem(id_, _severity(id_), finding, project.settings)


def _concealed(problems: list[Problem]) -> list[Problem]:
    """Mark whatever else is wrong in a line with a secret, so that no reporter shows the line."""
    lines = {(one.place.file, one.place.line) for one in problems if one.secret}
    return [
        replace(one, secret=True) if (one.place.file, one.place.line) in lines else one for one in problems
    ]


def _silences(documents: Iterable[Document]) -> tuple[list[Silence], list[Finding]]:
    known = {check.id for check in all_checks()}
    found: list[Silence] = []
    malformed: list[Finding] = []
    for source in _sources(documents).values():
        for one in silences.read(source, known):
            if isinstance(one, Silence):
                found.append(one)
            else:
                malformed.append(one)
    return found, malformed


def _of_the_comments(
    project: Project, found: Iterable[Silence], malformed: Iterable[Finding], ran: set[str]
) -> Iterator[Problem]:
    complaints = [("silence-malformed", finding) for finding in malformed]
    complaints += silences.complaints(found, project.today, ran)
    for id_, finding in complaints:
        problem = _problem(id_, _severity(id_), finding, project.settings)
        if not project.settings.disables(id_, problem.place.file):
            yield problem


def _severity(id_: str) -> Severity:
    return next(check.severity for check in all_checks() if check.id == id_)


def _problem(id_: str, severity: Severity, finding: Finding, settings: Settings) -> Problem:
    chosen = settings.severity.get(id_)
    problem = Problem(
        id_,
        chosen if chosen is not None and chosen != "off" else finding.severity or severity,
        finding.at if isinstance(finding.at, Place) else finding.at.place,
        finding.message,
        finding.hint,
        finding.length,
        finding.fix,
        finding.secret,
    )
    return _placed(problem, finding.at) if isinstance(finding.at, Span) else problem


def _placed(problem: Problem, at: Span) -> Problem:
    """Say of what stands in a text inside a file where in that text, and how it is repaired there."""
    source = at.source
    if source.outer is source:
        return replace(problem, length=at.length)
    return replace(
        problem,
        length=at.length,
        message=f"{source.note(at.start)}{problem.message}",
        fix=problem.fix.inside(source) if problem.fix is not None else None,
        # A value in base64 is shown to nobody: it may hold secrets, and tells nobody anything.
        secret=problem.secret or source.written_at(at.start) is None,
    )
