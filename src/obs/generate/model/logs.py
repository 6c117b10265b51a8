"""Tests of rules over log lines: lines at given times, and what the alert must do at given times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from obs.generate.model.place import Duration


@dataclass(frozen=True, slots=True)
class LogBurst:
    """`count` alike lines, spread evenly from `start` on over `over`; times count from the story's beginning."""

    start: Duration
    over: Duration
    count: int
    #: Labels of its stream, and the fields beside the line.
    labels: Mapping[str, str]
    fields: Mapping[str, str]
    message: str = "a line"


@dataclass(frozen=True, slots=True)
class LogFact:
    """What the alert does at one instant, evaluated since the story began."""

    at: Duration
    state: Literal["silent", "pending", "firing"]
    #: Labels that one that does not stay silent must have beside those of its rule.
    shows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogCase:
    """Lines with what the alert must do on them; its sentence says the fact."""

    says: str
    kind: Literal["fires", "silent", "for", "born", "gone"]
    bursts: tuple[LogBurst, ...]
    facts: tuple[LogFact, ...]
