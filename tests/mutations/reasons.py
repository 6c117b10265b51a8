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


_MARGIN = "how long a hole in the scrapes may be: a margin, which the stories stay clear of"
_ONE = "told with one series: a second one that says something else has no story yet"

#: The first that matches counts.
_REASONS: tuple[_Reason, ...] = (
    _Reason(
        r"capabilities/(targets|backups)/",
        r"0 \* \(?(group by|absent_over_time)?.* -> .*0 / ",
        "zero times one and zero divided by one are the same zero",
        equivalent=True,
    ),
    _Reason(
        r"jobs/scheduled",
        r"' \* \(' -> ' / \('",
        "seconds times the group's 1 and seconds divided by it are the same number",
        equivalent=True,
    ),
    _Reason(r"vocabulary", r"^1 -> 0$", "what is divided by one stays what it is", equivalent=True),
    _Reason(
        r"slo/files",
        r"idle\(slo\) > _SHORT",
        "in which of an SLO's files an alert stands changes only how often it is judged",
    ),
    _Reason(
        r"(drafts|expressions|slo/events)\.py",
        r"offset \d+m|'\d+[mh]' -> |\[30m\]",
        _MARGIN,
    ),
    _Reason(
        r"jobs/scheduled", r"^2 -> 3$", "how long a job's past is remembered: a longer memory does no harm"
    ),
    _Reason(r"database/pools", r"> 0.* -> .*> 1", "a pool of a single connection has no story"),
    _Reason(r"cache/alerts", r"caches\) -> ", "databases that are no caches have no story beside a cache's"),
    _Reason(r"", r"(max|min|sum) by \(|max_over_time", _ONE),
    _Reason(
        "",
        r"^'[^']*(>|<)[^=][^']*' -> '[^']*\1=|^'[^']*(>|<)=[^']*' -> '[^']*\2[^=]",
        "exactly on the line: stories stand a little above and a little below it",
    ),
    _Reason(
        r"slo/events", r"!= 0\)' -> '.*!= 1\)'", "a last success one second after 1970 began does not occur"
    ),
    _Reason(
        r"slo/events",
        r"minutes",
        "both parts of a custom SLI are divided alike: only its floor on bad events could tell",
    ),
    _Reason(
        r"slo/downtime",
        r"window\.end",
        "the minute after a planned downtime, whose events are still of it, is between two steps of its story",
    ),
    _Reason(r"slo/downtime", r"' \+ ' -> ' - '", "two planned downtimes at the same time have no story"),
    _Reason(
        r"slo/recordings",
        r"_FAR_TOO_MANY",
        "a limit on the number of series, which an SLO without groups does not come near",
    ),
    _Reason(
        r"slo/files",
        r"^Entry\(|True -> False",
        "an alert on too many groups where there are no groups: it is there and cannot fire",
    ),
    _Reason(
        r"slo/(measured|alerts|files)",
        r"'\d+[mh]' -> '\d+[mh]'",
        "a wait that is shorter than a step of its story: steps of SLOs are coarse",
    ),
    _Reason(
        r"dialects",
        r"le=",
        "a bucket's bound written with a decimal point by a client that the corpus does not have",
    ),
    _Reason(r"", r"'(\w+)' -> '\1x'", "one of several values of a label: the stories are told with another"),
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
