"""Why a survivor may live: read by a person, one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.mutations.trial import Trial


@dataclass(frozen=True, slots=True)
class _Reason:
    """Survivors of files that match `path`, whose change matches `change`, live because `why`."""

    path: str
    change: str
    why: str
    #: No story could ever tell the two apart: not counted.
    equivalent: bool = False


_REASONS: tuple[_Reason, ...] = (
    _Reason(
        "",
        r"'[^']*[<>][^']*' -> '[^']*[<>]=[^']*'|'[^']*[<>]=[^']*' -> '[^']*[<>][^']*'",
        "exactly on the line: stories stand a little above and a little below it",
    ),
    _Reason(
        "",
        r"'0 \* (\(group by \(|absent_over_time\()' -> '0 / ",
        "zero times one and zero divided by one are the same zero",
        equivalent=True,
    ),
    _Reason(
        r"jobs/scheduled",
        r"' \* \(' -> ' / \('",
        "seconds times the group's 1 and seconds divided by it are the same number",
        equivalent=True,
    ),
    _Reason(
        r"(drafts|expressions)\.py",
        r"'\d+[mh]' -> '[\dmhs]+'",
        "a hole in the scrapes that is longer or shorter than the one in the stories: a margin, not a promise",
    ),
    _Reason(
        r"capabilities/",
        r"'max by \(' -> '(min|count) by \('",
        "told with one series: the same figure from two exporters at once has no story yet",
    ),
    _Reason(
        r"jobs/scheduled", r"^2 -> 3$", "how long a job's past is remembered: a longer memory does no harm"
    ),
    _Reason(
        r"slo/events", r"!= 0\)' -> '.*!= 1\)'", "a last success one second after 1970 began does not occur"
    ),
    _Reason(
        r"slo/downtime",
        r"window\.end",
        "the minute after a planned downtime, whose events are still of it, is between two steps of its story",
    ),
)


def reason(trial: Trial) -> str:
    """Return the reason of a survivor."""
    if trial.verdict == "unread":
        return "never runs for a service of the corpus"
    known = _known(trial)
    return known.why if known is not None else "not explained yet"


def is_equivalent(trial: Trial) -> bool:
    """Tell whether the rules of a survivor, written differently, do the same on any samples."""
    known = _known(trial) if trial.verdict == "survived" else None
    return known is not None and known.equivalent


def _known(trial: Trial) -> _Reason | None:
    change = f"{trial.mutant.before} -> {trial.mutant.after}"
    matching = (
        one for one in _REASONS if re.search(one.path, trial.mutant.path) and re.search(one.change, change)
    )
    return next(matching, None)
