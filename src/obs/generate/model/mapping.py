"""Signals of the catalogue in metrics that a team already has.

A dialect is no renaming: statuses come in classes, milliseconds stand for seconds, failures are
counted by a metric of their own. A mapping says for one signal how each of these is to be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from obs.generate.model.place import Place


@dataclass(frozen=True, slots=True)
class MappedLabel:
    """One label of a signal in a team's metric.

    `values` maps what the catalogue calls a value (or a class of values, ``5xx``) to the values that
    stand for it; empty when both say the same.
    """

    label: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MappedSignal:
    """The metric that plays the role of a signal; labels that are not named do not exist on it."""

    id: str
    #: Full name of the series; of a histogram without ``_bucket``.
    metric: str
    #: Dotted label name -> what it is here.
    labels: Mapping[str, MappedLabel]
    #: Label -> the only value that counts: the metric serves other purposes, too.
    match: Mapping[str, str]
    place: Place
    #: Counts the bad events alone, where no label of `metric` tells them apart; "" when one does.
    bad_metric: str = ""
    #: What makes an event bad: dotted label, and its value, a class of values, or ``*`` for any.
    bad_when: tuple[str, str] = ("", "")
    #: How many of the metric's unit make one of the signal's: 1000 for milliseconds of a signal in seconds.
    scale: int = 1
