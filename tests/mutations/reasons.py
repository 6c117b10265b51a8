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
        r"capabilities/(targets|backups)/|derive/expressions",
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
    _Reason(r"vocabulary", r"^1 -> [02]$", "what is divided by one stays what it is", equivalent=True),
    _Reason(
        r"vocabulary",
        r"le=.* if .* -> f'le=~",
        "no client writes a bound that is no whole number with a zero behind it",
        equivalent=True,
    ),
    _Reason(
        r"indexer",
        r"^'(max by \(|\) unless max by \()' -> .*min by \($",
        "unless asks whether there is a series, and not for its value",
        equivalent=True,
    ),
    _Reason(
        r"(cache/alerts|database/operations)",
        r"(caches|databases)\) -> ",
        "divided by system: what only the divisor counts is not in the result",
        equivalent=True,
    ),
    _Reason(
        r"slo/alerts",
        r"max without .* -> .*min without",
        "takes a label from a single series: its largest value is its smallest",
        equivalent=True,
    ),
    _Reason(
        r"slo/recordings",
        r"sum_over_time\(' -> 'avg_over_time",
        "both parts of a ratio have their samples at the same times: sums or averages, it is the same",
        equivalent=True,
    ),
    _Reason(
        r"(targets/scrapes|targets/alerts|backups/alerts|fleet/alerts|derive/expressions)",
        r"0 \* \(.* -> .*1 \* \(|vector\(",
        "the value of an alert is a text for people; the table asks whether it fires",
    ),
    _Reason(r"slo/recordings", r" > 0\)' -> ' > 1\)", "a whole period with a single event has no story"),
    _Reason(
        r"slo/(recordings|files)",
        r"^'1m' -> ",
        "how often a group is evaluated: promtool evaluates all groups at each step of a story",
    ),
    _Reason(
        r"(alertmanager|jobs)/alerts",
        r"^1 -> 0$",
        "a share of no bad events is zero, with a floor of one and without any",
        equivalent=True,
    ),
    _Reason(
        r"(slo/matchers|dialects)",
        r"^1 -> 0$",
        "a regular expression of one value is that value",
        equivalent=True,
    ),
    _Reason(
        r"slo/files",
        r"idle\(slo\) > _SHORT|'long' if far",
        "in which of an SLO's files an alert stands changes only how often it is judged",
    ),
    _Reason(
        r"(drafts|expressions|slo/events|slo/measured|jobs/scheduled|probes/alerts|targets/scrapes)\.py",
        r"offset |'\d+[mh]' -> |\[30m\]|'\[1h\]",
        _MARGIN,
    ),
    _Reason(r"(drafts|settings)", r"^\d -> \d$", "how many scrapes may be missed: a margin"),
    _Reason(r"jobs/scheduled", r"^2 -> [13]$", "how long a job's past is remembered: a margin"),
    _Reason(r"(fleet|slo)/alerts", r"^0 -> 1$", "a wait of a millisecond is less than any step"),
    _Reason(
        r"queue/alerts", r"deriv.* -> .*delta", "a queue that shrinks and grows in one window has no story"
    ),
    _Reason(
        r"slo/downtime",
        r"' \) / \('|\) \* \(.* -> .*\) / \(",
        "weekly hours that begin after midnight have no story",
    ),
    _Reason(
        r"slo/events", r">= 0' -> .*>= 1", "a minute with less than one slow event is a slice of a bucket"
    ),
    _Reason(r"slo/series", r"KEPT", "no service of the corpus is that of one environment alone"),
    _Reason(
        r"(dialects|vocabulary)",
        r"_hits|_OTHER|bad_metric|len\(value\)|hits\(|own\.values",
        "values and labels of metrics of others that the corpus does not have",
    ),
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
        r"_FAR_TOO_MANY|^10 -> (9|11)$",
        "a limit on the number of series, which an SLO without groups does not come near",
    ),
    _Reason(
        r"slo/files",
        r"^Entry\(|True -> False|False -> True",
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
