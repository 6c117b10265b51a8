"""Alerts on backups that are old, unheard of, or suddenly small."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.conventions.backups import BACKUP, LAST_SIZE, LAST_SUCCESS
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.expressions import UNKNOWN, never
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

_WEEK = Duration.parse("7d")

STALE = Defaults("page", Duration.parse("30m"), Duration.parse("36h").seconds, "s", _WEEK)
MISSING = Defaults("ticket", Duration.parse("1h"), window=_WEEK)
SHRANK = Defaults("ticket", Duration.parse("1h"), Decimal("0.5"), "ratio", _WEEK)

#: What stands for the backup when none was ever told of.
ANY = "any"
_STORY = "orders-db"


def stale(kit: Kit) -> Draft:
    """Return BackupStale: the last backup that worked is too old.

    The worker that tells of it may be gone, so the expression remembers what it said.
    """
    names, line = kit.names, kit.settings.threshold
    metric, label = names.metric(LAST_SUCCESS.id), names.label(LAST_SUCCESS.id, BACKUP.name)
    memory = max(kit.settings.window, Duration(int(line * 2000)))
    last = f"max by ({BY}, {label}) (max_over_time({names.selector(metric)}[{memory}]))"
    old = Duration(int(line * 1000)).words
    return Draft(
        name="BackupStale",
        expr=f"time() - {last} > {line:f}",
        signals=(LAST_SUCCESS.id,),
        threshold=Threshold(line, "s", ">", f"the last backup that worked is older than {old}"),
        summary=(
            f"{{{{ $labels.service }}}}: the last backup of {{{{ $labels.{label} }}}} is "
            "{{ $value | humanizeDuration }} old"
        ),
        description=(
            f"The last backup of {{{{ $labels.{label} }}}} ({{{{ $labels.service }}}}, {{{{ $labels.environment }}}}) "
            f"that worked is {{{{ $value | humanizeDuration }}}} old; the alert watches for more than {old}."
        ),
        cases=_stale_cases(kit, metric, label, line, memory),
        window=memory,
    )


def _stale_cases(kit: Kit, metric: str, label: str, line: Decimal, memory: Duration) -> tuple[Case, ...]:
    wait, step = kit.for_steps, kit.step.seconds
    forgotten = 2 + kit.steps(memory)
    made = step  # a backup ends at step 1
    late = int((line + made) // step) + 1
    end = late + wait + 2
    shows = {label: _STORY}

    def told(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        return (Sample(metric, shows, gauge(track)),)

    def firing(at: int, success: Decimal = made) -> Fact:
        return Fact(at, "firing", ((shows, float(at * step - success)),))

    step_facts = [Fact(late - 1, "silent")]
    if wait:
        step_facts += [Fact(late, "pending"), Fact(late + wait - 1, "pending")]
    step_facts += [firing(late + wait)]
    every = late - 3
    punctual = [(every, made)] + [(every, made + number * every * step) for number in range(1, 3)]
    again = made + (late + wait) * step
    return (
        Case("fires", "is made once and never again", told((end, made)), (firing(late + wait + 1),)),
        Case(
            "silent",
            "is made just in time",
            told(*punctual),
            (Fact(late, "silent"), Fact(3 * every, "silent")),
        ),
        Case(
            "for",
            "comes too late and is made at last",
            told((late + wait + 1, made), (3, again)),
            (*step_facts, Fact(late + wait + 3, "silent")),
        ),
        Case(
            "born",
            "the first that is told of it is old already",
            told((late + 1, None), (wait + 3, made)),
            (Fact(late + 1, "silent"), firing(late + 2 + wait)),
        ),
        Case(
            "gone",
            "is made once and its worker goes away",
            told((2, made), (forgotten, None)),
            (
                Fact(late - 1, "silent"),
                firing(late + wait),
                firing(forgotten - 2),
                Fact(forgotten + 2, "silent"),
            ),
        ),
    )


def missing(kit: Kit) -> Draft:
    """Return BackupMetricMissing: nobody tells of a backup any more, or ever did."""
    names, memory = kit.names, kit.settings.window
    metric, label = names.metric(LAST_SUCCESS.id), names.label(LAST_SUCCESS.id, BACKUP.name)
    told, by = names.selector(metric), f"{BY}, {label}"
    gone = f"0 * (group by ({by}) (last_over_time({told}[{memory}])) unless group by ({by}) ({told}))"
    return Draft(
        name="BackupMetricMissing",
        expr=f"{gone} or {never(kit, told, memory, label, ANY)}",
        signals=(LAST_SUCCESS.id,),
        threshold=Threshold(Decimal(0), "1", "==", "nobody tells when the last backup was made"),
        summary=f"{{{{ $labels.service }}}}: nobody tells of the backup of {{{{ $labels.{label} }}}}",
        description=(
            f"Nobody tells when {{{{ $labels.{label} }}}} of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) "
            f"was last backed up; {ANY!r} means that nobody ever did."
        ),
        cases=_missing_cases(kit, metric, label),
        window=memory,
        omits={"born": "it watches for what is not there, and a series that is born ends it"},
    )


def _missing_cases(kit: Kit, metric: str, label: str) -> tuple[Case, ...]:
    wait, shows, forgotten = kit.for_steps, {label: _STORY}, 2 + kit.window_steps
    lost = ((shows, 0.0),)
    one_environment = "environment" in kit.names.select
    nowhere = (({label: ANY, **({} if one_environment else {"environment": UNKNOWN})}, 0.0),)

    def told(*track: tuple[int, int | None], **labels: str) -> tuple[Sample, ...]:
        return (Sample(metric, {**shows, **labels}, gauge(track)),)

    facts = [Fact(2, "silent")]
    if wait:
        facts += [Fact(3, "pending"), Fact(2 + wait, "pending")]
    facts += [Fact(3 + wait, "firing", lost), Fact(5 + wait, "silent")]
    return (
        Case(
            "fires",
            "no backup was ever told of",
            told((wait + 2, 1), service="somebody-else"),
            (Fact(wait + 1, "firing", nowhere),),
            alone=True,
        ),
        Case("silent", "is told of all the time", told((wait + 3, 1)), (Fact(wait + 2, "silent"),)),
        Case("for", "is not told of for a while", told((2, 1), (wait + 2, None), (3, 1)), tuple(facts)),
        Case(
            "gone",
            "is not told of any more",
            told((2, 1), (forgotten, None)),
            (
                Fact(3 + wait, "firing", lost),
                Fact(forgotten - 2, "firing", lost),
                # Rules of one environment know for good that there should be one.
                Fact(forgotten + wait + 1, "firing", nowhere)
                if one_environment
                else Fact(forgotten + 2, "silent"),
            ),
        ),
    )


def shrank(kit: Kit) -> Draft:
    """Return BackupShrank: the last backup is much smaller than the largest of the week."""
    names, line, window = kit.names, kit.settings.threshold, kit.settings.window
    metric, label = names.metric(LAST_SIZE.id), names.label(LAST_SIZE.id, BACKUP.name)
    sizes, by = names.selector(metric), f"{BY}, {label}"
    return Draft(
        name="BackupShrank",
        expr=f"max by ({by}) ({sizes}) / max by ({by}) (max_over_time({sizes}[{window}])) < {line:f}",
        signals=(LAST_SIZE.id,),
        threshold=Threshold(
            line, "ratio", "<", f"less than {words(line, 'ratio')} of the largest backup of {window}"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: the backup of {{{{ $labels.{label} }}}} shrank to "
            "{{ $value | humanizePercentage }}"
        ),
        description=(
            f"The last backup of {{{{ $labels.{label} }}}} ({{{{ $labels.service }}}}, {{{{ $labels.environment }}}}) "
            f"has {{{{ $value | humanizePercentage }}}} of the size of the largest of {window}; "
            f"the alert watches for less than {words(line, 'ratio')}."
        ),
        cases=_shrank_cases(kit, metric, label, line),
        window=window,
    )


def _shrank_cases(kit: Kit, metric: str, label: str, line: Decimal) -> tuple[Case, ...]:
    wait, shows, whole = kit.for_steps, {label: _STORY}, Decimal(1_000_000_000)
    below, above, week = line * Decimal("0.98"), line * Decimal("1.02"), kit.window_steps
    firing = ((shows, float(below)),)

    def sized(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        return (
            Sample(
                metric,
                shows,
                gauge([(steps, None if share is None else share * whole) for steps, share in track]),
            ),
        )

    facts = [Fact(2, "silent")]
    if wait:
        facts += [Fact(3, "pending"), Fact(2 + wait, "pending")]
    facts += [Fact(3 + wait, "firing", firing), Fact(5 + wait, "silent")]
    full = Decimal(1)
    return (
        Case(
            "fires",
            "just below the line, until the week has passed",
            sized((2, full), (week + 2, below)),
            (Fact(4 + wait, "firing", firing), Fact(week, "firing", firing), Fact(week + 4, "silent")),
        ),
        Case(
            "silent", "just above the line", sized((2, full), (wait + 3, above)), (Fact(4 + wait, "silent"),)
        ),
        Case(
            "for", "shrinks and is whole again", sized((2, full), (wait + 2, below), (3, full)), tuple(facts)
        ),
        Case(
            "born",
            "a new backup has nothing to be compared with",
            sized((2, None), (wait + 3, below)),
            (Fact(3 + wait, "silent"),),
        ),
        Case(
            "gone",
            "the worker that told of it goes away",
            sized((2, full), (wait + 2, below), (3, None)),
            (Fact(3 + wait, "firing", firing), Fact(5 + wait, "silent")),
        ),
    )
