"""Alerts of circuit breakers and retries: one for each target that is called."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.resilience import (
    BREAKER_STATE,
    BREAKER_TRANSITIONS,
    CALLS,
    RETRIES,
    STATE,
    TARGET,
    TO,
)
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, every, gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories import level
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.derive.stories.level import level_cases
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

OPEN = Defaults("page", Duration.parse("1m"))
FLAPPING = Defaults("ticket", Duration(0), Decimal(3), "", Duration.parse("30m"))
RETRY_STORM = Defaults("ticket", Duration.parse("10m"), Decimal("0.2"), "ratio", Duration.parse("5m"))

_MIN_RETRIES = 10
_STORY_TARGET = "bank"


def breaker_open(kit: Kit) -> Draft:
    """Return CircuitBreakerOpen: calls to a target are not made any more.

    A breaker that tries the target goes through half_open and back; that is no recovery, so it counts as open.
    """
    names = kit.names
    metric = names.metric(BREAKER_STATE.id)
    target, state = names.label(BREAKER_STATE.id, TARGET.name), names.label(BREAKER_STATE.id, STATE.name)
    shows = {target: _STORY_TARGET}
    not_closed = names.selector(metric, f'{state}=~"open|half_open"')

    def write(track: level.Track) -> tuple[Sample, ...]:
        closed = [(steps, None if value is None else 1 - value) for steps, value in track]
        half = [(steps, None if value is None else Decimal(0)) for steps, value in track]
        return _states(metric, state, shows, opened=track, half=half, closed=closed)

    one, zero, wait = Decimal(1), Decimal(0), kit.for_steps
    trials = _states(
        metric,
        state,
        shows,
        opened=[(2, zero), (1, one), (1, zero), (wait + 3, one)],
        half=[(3, zero), (1, one), (wait + 3, zero)],
        closed=[(2, one), (wait + 5, zero)],
    )
    return Draft(
        name="CircuitBreakerOpen",
        expr=f"max by ({BY}, {target}) ({not_closed}) == 1",
        signals=(BREAKER_STATE.id,),
        threshold=Threshold(one, "1", "==", "a breaker is open, or only tries its target"),
        summary=f"{{{{ $labels.service }}}}: calls to {{{{ $labels.{target} }}}} are cut off",
        description=(
            f"The circuit breaker of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) for "
            f"{{{{ $labels.{target} }}}} is open in at least one instance: its calls fail at once, without being made."
        ),
        cases=(
            *level_cases(kit, write, above=one, below=zero, low=zero, shows=shows),
            Case("for", "tries its target in between", trials, (Fact(3 + wait, "firing", ((shows, 1.0),)),)),
        ),
        window=Duration(0),
    )


def breaker_flapping(kit: Kit) -> Draft:
    """Return CircuitBreakerFlapping: a breaker opens again and again."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(BREAKER_TRANSITIONS.id)
    target = names.label(BREAKER_TRANSITIONS.id, TARGET.name)
    to = names.label(BREAKER_TRANSITIONS.id, TO.name)
    shows = {target: _STORY_TARGET}
    opened = names.selector(metric, f'{to}="open"')
    return Draft(
        name="CircuitBreakerFlapping",
        expr=f"{total(events(kit, opened), target)} > {line:f}",
        signals=(BREAKER_TRANSITIONS.id,),
        threshold=Threshold(line, "1", ">", f"a breaker opens more than {words(line, '')} times in {window}"),
        summary=(
            f"{{{{ $labels.service }}}}: the breaker for {{{{ $labels.{target} }}}} opened {{{{ $value | humanize }}}} times"
        ),
        description=(
            f"The circuit breakers of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) for "
            f"{{{{ $labels.{target} }}}} opened {{{{ $value | humanize }}}} times in the last {window}; "
            f"the alert watches for more than {words(line, '')}."
        ),
        cases=count_cases(
            kit, single(metric, {**shows, to: "open"}, {**shows, to: "closed"}), line=line, shows=shows
        ),
        window=window,
    )


def retry_storm(kit: Kit) -> Draft:
    """Return RetryStorm: much of what a target gets are repetitions."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    calls, retries = names.metric(CALLS.id), names.metric(RETRIES.id)
    target = names.label(CALLS.id, TARGET.name)
    shows = {target: _STORY_TARGET}

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        own = {"instance": instance, **shows}
        return (Sample(calls, own, counter(every(story))), Sample(retries, own, counter(bad(story))))

    return Draft(
        name="RetryStorm",
        expr=share_of_bad(
            total(events(kit, names.selector(retries)), target),
            total(events(kit, names.selector(calls)), target),
            _MIN_RETRIES,
            f"{line:f}",
        ),
        signals=(CALLS.id, RETRIES.id),
        threshold=Threshold(
            line,
            "ratio",
            ">",
            f"more than {words(line, 'ratio')} of the calls of {window} to a target are retries",
        ),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of calls to {{{{ $labels.{target} }}}} "
            "are retries"
        ),
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the calls of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) to {{{{ $labels.{target} }}}} in the last {window} repeated a failed one; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(kit, write, share_value, line=line, floor=_MIN_RETRIES, shows=shows),
        window=window,
        omits=OMITS,
    )


def _states(
    metric: str,
    state: str,
    labels: dict[str, str],
    *,
    opened: level.Track,
    half: level.Track,
    closed: level.Track,
) -> tuple[Sample, ...]:
    tracks = (("open", opened), ("half_open", half), ("closed", closed))
    return tuple(Sample(metric, {**labels, state: name}, gauge(track)) for name, track in tracks)
