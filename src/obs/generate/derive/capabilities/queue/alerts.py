"""Alerts of a service that works off queues: one for each queue."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.queue import DEAD_LETTERS, DEPTH, OLDEST_AGE, PROCESSING, QUEUE
from obs.generate.derive.capabilities.queue.backlog import backlog_cases
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, total
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories import level
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.derive.stories.level import level_cases, near
from obs.generate.derive.stories.quantile import Quantile, quantile_cases, quantile_expr
from obs.generate.derive.stories.share import OMITS
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

BACKLOG = Defaults("ticket", Duration.parse("15m"), Decimal(1000), "", Duration.parse("15m"))
STALE = Defaults("page", Duration.parse("5m"), Decimal(300), "s")
DEAD = Defaults("ticket", Duration(0), window=Duration.parse("15m"))
SLOW = Defaults("ticket", Duration.parse("15m"), Decimal(30), "s", Duration.parse("10m"))

_MIN_SLOW_MESSAGES = 3
_STORY_QUEUE = "orders"


def backlog_growing(kit: Kit) -> Draft:
    """Return QueueBacklogGrowing: much waits, and it becomes more."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric, queue = names.metric(DEPTH.id), names.label(DEPTH.id, QUEUE.name)
    depth = names.selector(metric)
    by = f"{BY}, {queue}"
    return Draft(
        name="QueueBacklogGrowing",
        expr=f"max by ({by}) ({depth}) > {line:f} and max by ({by}) (deriv({depth}[{window}])) > 0",
        signals=(DEPTH.id,),
        threshold=Threshold(
            line, "1", ">", f"more than {words(line, '')} messages wait, and ever more for {window}"
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} messages wait in {{{{ $labels.{queue} }}}}",
        description=(
            f"{{{{ $value | humanize }}}} messages wait in queue {{{{ $labels.{queue} }}}} of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}), and there have been ever more over the last {window}; "
            f"the alert watches for more than {words(line, '')}."
        ),
        cases=backlog_cases(kit, metric, {queue: _STORY_QUEUE}),
        window=window,
    )


def oldest_stale(kit: Kit) -> Draft:
    """Return QueueOldestMessageStale: a message has been waiting for too long, however few there are."""
    names, line = kit.names, kit.settings.threshold
    metric, queue = names.metric(OLDEST_AGE.id), names.label(OLDEST_AGE.id, QUEUE.name)

    def write(track: level.Track) -> tuple[Sample, ...]:
        return (Sample(metric, {queue: _STORY_QUEUE}, gauge(track)),)

    above, below, low = near(line)
    return Draft(
        name="QueueOldestMessageStale",
        expr=f"max by ({BY}, {queue}) ({names.selector(metric)}) > {line:f}",
        signals=(OLDEST_AGE.id,),
        threshold=Threshold(line, "s", ">", f"a message has been waiting for more than {words(line, 's')}"),
        summary=(
            f"{{{{ $labels.service }}}}: a message in {{{{ $labels.{queue} }}}} waits for {{{{ $value | humanizeDuration }}}}"
        ),
        description=(
            f"The oldest message in queue {{{{ $labels.{queue} }}}} of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) has been waiting for {{{{ $value | humanizeDuration }}}}; "
            f"the alert watches for more than {words(line, 's')}."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows={queue: _STORY_QUEUE}),
        window=Duration(0),
    )


def dead_letters(kit: Kit) -> Draft:
    """Return DeadLetterNotEmpty: a message was given up."""
    names, window = kit.names, kit.settings.window
    metric, queue = names.metric(DEAD_LETTERS.id), names.label(DEAD_LETTERS.id, QUEUE.name)
    shows = {queue: _STORY_QUEUE}
    return Draft(
        name="DeadLetterNotEmpty",
        expr=f"{total(events(kit, names.selector(metric)), queue)} > 0",
        signals=(DEAD_LETTERS.id,),
        threshold=Threshold(Decimal(0), "1", ">", f"any message of {window} was given up"),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} messages of {{{{ $labels.{queue} }}}} were given up",
        description=(
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) put {{{{ $value | humanize }}}} messages of queue "
            f"{{{{ $labels.{queue} }}}} aside in the last {window}; nobody will work on them again by themselves."
        ),
        cases=count_cases(kit, single(metric, shows), line=Decimal(0), shows=shows),
        window=window,
    )


def processing_slow(kit: Kit) -> Draft:
    """Return MessageProcessingSlow: the work on one message in twenty takes too long."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    queue = names.label(PROCESSING.id, QUEUE.name)
    what = Quantile(
        "MessageProcessingSlow",
        PROCESSING,
        Decimal("0.95"),
        _MIN_SLOW_MESSAGES,
        by=(queue,),
        sample={queue: _STORY_QUEUE},
    )
    return Draft(
        name=what.alert,
        expr=quantile_expr(kit, what),
        signals=(PROCESSING.id,),
        threshold=Threshold(
            line, "s", ">", f"5 % of the messages of {window} take longer than {words(line, 's')}"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: p95 of the messages of {{{{ $labels.{queue} }}}} is {{{{ $value | humanizeDuration }}}}"
        ),
        description=(
            f"The work of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) on one in twenty messages of queue "
            f"{{{{ $labels.{queue} }}}} took longer than {{{{ $value | humanizeDuration }}}} in the last {window}; "
            f"the alert watches for more than {words(line, 's')}."
        ),
        cases=quantile_cases(kit, what),
        window=window,
        omits=OMITS,
    )
