"""Specs -> everything that is wrong with them, in every environment, at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import ObsError, SpecError
from obs.generate import pipeline
from obs.generate.derive import rules
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.guidance.book import derive_runbooks
from obs.generate.model import Service, Skipped
from obs.generate.spec import load, service, tree
from obs.generate.spec.document import Node
from obs.generate.spec.pruning import UNNAMED, Pruner

#: After so many mistakes in one spec a person reads no further.
MOST_MISTAKES = 200


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake of a spec; `environments` are those in which it shows, none when it is in the spec itself."""

    error: ObsError
    environments: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """What a check of specs has found."""

    #: The day on which it was made.
    today: dt.date
    specs: int = 0
    #: Names of the services that could be read.
    services: list[str] = field(default_factory=list)
    #: Names of all environments that a spec declares.
    environments: set[str] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)
    #: Alerts that the metrics of a service cannot express.
    skipped: list[Skipped] = field(default_factory=list)


def check(paths: Sequence[Path], today: dt.date | None = None) -> Report:
    """Return every mistake of the specs in `paths`, by file, line and column.

    Each spec is read and derived as it stands and with each of its environments. An alert that was to be
    switched off until a day before `today` (by default the day in UTC) is a mistake, too. Raises
    `SpecError` only where there is no spec at all.
    """
    report = Report(today or dt.datetime.now(dt.timezone.utc).date())
    places: dict[str, Service] = {}
    for path in load.files(paths):
        report.specs += 1
        _check_one(path, report, places)
    if not report.mistakes:
        # What only all of them together can have: two files of one name, receivers that disagree.
        try:
            pipeline.prepare(paths)
        except ObsError as error:
            report.mistakes.append(Mistake(error))
    report.mistakes.sort(key=lambda one: _order(one.error))
    return report


def _check_one(path: Path, report: Report, places: dict[str, Service]) -> None:
    try:
        root = load.merged(path)
        names = tree.environments(root)
    except ObsError as error:
        _add(report, error, None)
        return
    report.environments.update(names)
    pruner = Pruner(root)
    found = _exhausted(pruner, None, report)
    # What is wrong with the spec itself has been told, and is gone.
    for name in tree.environments(pruner.root):
        _exhausted(Pruner(pruner.root), name, report)
    if found is None:
        return
    # Of two whose name is refused nobody knows whether they are one.
    twin = places.setdefault(found.name, found) if found.name != UNNAMED else found
    if twin is not found:
        message, hint = f"service {found.name!r} is declared twice", f"the other one is at {twin.place}"
        _add(report, SpecError(message, str(found.place), hint), None)
    report.services.append(found.name)


def _check_ends(found: Service, report: Report) -> None:
    for name, tuning in found.tunings.items():
        if tuning.until is not None and tuning.until < report.today:
            message = f"alerts.{name}: was to be switched off until {tuning.until}: {tuning.disabled}"
            where = str(tuning.places.get("until", tuning.place))
            _add(
                report,
                SpecError(message, where, "switch it on again, or say until when and why"),
                found.environment,
            )


def _exhausted(pruner: Pruner, environment: str | None, report: Report) -> Service | None:
    """Tell every mistake of one spec in one environment; return the service once none is left."""
    for _ in range(MOST_MISTAKES):
        found = _attempt(pruner, environment, report)
        if not isinstance(found, ObsError):
            return found
        if not pruner.is_echo(found):
            _add(report, found, environment)
        if not pruner.drop(found):
            return None
    return None


def _attempt(pruner: Pruner, environment: str | None, report: Report) -> Service | ObsError:
    try:
        return _derived(pruner.root, environment, report)
    except ObsError as error:
        return error


def _derived(root: Node, environment: str | None, report: Report) -> Service:
    found = service.read(root, environment, {})
    derived = rules.derive_rules(found)
    alerts = [alert for file in derived.files for alert in file.alerts]
    derive_runbooks(found, alerts)
    derive_dashboard(found, alerts)
    if environment is None:
        report.skipped += derived.skipped
    _check_ends(found, report)
    return found


def _add(report: Report, error: ObsError, environment: str | None) -> None:
    """Add a mistake; one that other environments have, too, is told once."""
    for number, known in enumerate(report.mistakes):
        if (known.error.where, known.error.message) == (error.where, error.message):
            if environment is not None and known.environments:
                names = (*known.environments, environment)
                report.mistakes[number] = Mistake(known.error, tuple(dict.fromkeys(names)))
            return
    report.mistakes.append(Mistake(error, () if environment is None else (environment,)))


def _order(error: ObsError) -> tuple[str, int, int, str]:
    parts = (error.where or "").rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return parts[0], int(parts[1]), int(parts[2]), error.message
    return error.where or "", 0, 0, error.message
