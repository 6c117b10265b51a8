"""What people read and what is written: runbooks, and any file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from obs.generate.model.alert import Alert


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a runbook: what to do, a query that is ready to run, and what follows from what is seen."""

    text: str
    queries: tuple[str, ...] = ()
    #: (what is seen, where to go).
    outcomes: tuple[tuple[str, str], ...] = ()
    #: LogQL queries and shell commands, ready to run too.
    logs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One mitigation: what to do, what it brings, and how long that takes."""

    text: str
    effect: str
    takes: str


@dataclass(frozen=True, slots=True)
class Runbook:
    """The page of every alert of one name in one service."""

    alerts: tuple[Alert, ...]
    meaning: str
    impact: str
    diagnosis: tuple[Step, ...]
    mitigation: tuple[Action, ...]
    escalation: tuple[str, ...]
    verification: tuple[Step, ...]
    #: Heading -> Markdown of people, which stands in place of what is generated under that heading.
    sections: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> PurePosixPath:
        """Path under ``runbooks/``."""
        return self.alerts[0].runbook


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file to be written: path relative to the output directory, and its text.

    With `preserves`, parts that people wrote into the file on disk survive (runbooks).
    """

    path: PurePosixPath
    text: str
    preserves: bool = False
