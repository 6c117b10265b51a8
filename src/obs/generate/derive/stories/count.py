"""Stories for alerts on how many events there were in a window: "more than so many", "at least so many", "any at all".

With `k` steps a window, the increase over the window spans k of them up to Prometheus 2 and k - 1
from 3.0 on (ranges became left-open), then scaled to the whole window; each crossing is chosen to be
at the same step for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import counter, exact
from obs.generate.derive.stories.births import (
    FIRST_SIGHT,
    answering,
    earliest_birth,
    first_sight_case,
    first_sight_steps,
)

#: Steps, and how many events there are in each; None: the series does not exist.
Track = Sequence[tuple[int, Decimal | None]]
#: Turns a track of one instance into the series of the metric at hand.
Writer = Callable[[Track, str], tuple[Sample, ...]]

_ZERO = Decimal(0)
#: More events in a step than any line allows in a window.
_BUSY = Decimal(1_000_000)


def count_cases(
    kit: Kit,
    write: Writer,
    *,
    line: Decimal,
    enough: Decimal | None = None,
    shows: Mapping[str, str] | None = None,
) -> tuple[Case, ...]:
    """Return the cases of an alert that fires when there were more than `line` events in its window.

    `enough` is the fewest events that wake it, where `line` of them do, too.
    """
    labels = shows or {}
    enough = Decimal(int(line) + 1) if enough is None else enough
    return (
        _fires(kit, write, line, labels),
        _silent(kit, write, line),
        _step(kit, write, line, labels) if line else _single(kit, write, labels),
        _born(kit, write, enough, labels),
        _gone(kit, write, line, labels),
        first_sight_case(kit, write(_first_sight(kit, line), "one")),
    )


def brief_cases(
    kit: Kit, write: Writer, *, least: Decimal, shows: Mapping[str, str], of: str
) -> tuple[Case, ...]:
    """Return what tells that `least` events of one more counter, `of` a kind of its own, are watched for, too."""
    cases = (_fires(kit, write, least, shows), _silent(kit, write, least), _born(kit, write, least, shows))
    return tuple(replace(case, says=f"{case.says} of {of}") for case in cases)


def single(metric: str, labels: Mapping[str, str], beside: Mapping[str, str] | None = None) -> Writer:
    """Return the writer of a plain counter.

    Next to that of the instance `one` stands a busy counter with the labels `beside`, whose events are of
    no interest.
    """

    def write(track: Track, instance: str) -> tuple[Sample, ...]:
        found = [Sample(metric, {"instance": instance, **labels}, counter(list(track)))]
        if beside is not None and instance == "one":
            noise = [(steps, None if growth is None else _BUSY) for steps, growth in track]
            found.append(Sample(metric, {"instance": instance, **beside}, counter(noise)))
        return tuple(found)

    return write


def _whole(kit: Kit) -> Decimal:
    """Return the window in steps, exactly: what there is in its last part of a step is extrapolated."""
    return Decimal(kit.settings.window.milliseconds) / kit.step.milliseconds


def _fires(kit: Kit, write: Writer, line: Decimal, shows: Mapping[str, str]) -> Case:
    settled = kit.window_steps + kit.for_steps
    pace = exact(line * Decimal("1.02") / _whole(kit)) if line else Decimal(1)
    says = "just above the line" if line else "one in each step"
    facts = (Fact(settled + 1, "firing", ((shows, float(pace * _whole(kit))),)),)
    return Case("fires", says, write([(settled + 2, pace)], "one"), facts)


def _silent(kit: Kit, write: Writer, line: Decimal) -> Case:
    end = kit.window_steps + kit.for_steps + 1
    below = exact(line * Decimal("0.98") / _whole(kit))
    says = "just below the line" if line else "a counter that stays at zero"
    return Case("silent", says, write([(end + 1, below)], "one"), (Fact(end, "silent"),))


def _step(kit: Kit, write: Writer, line: Decimal, shows: Mapping[str, str]) -> Case:
    """Events begin at once and end at once: pins the window and the wait."""
    k, wait = kit.window_steps, kit.for_steps
    crossing = max(2, k // 2)
    # Between what the window holds a step before the crossing and at it, whichever Prometheus counts.
    middle = (Decimal(crossing - 1) / (k - 1) + Decimal(crossing) / k) / 2
    burst = exact(line / (k * middle))
    # Before, every series is new.
    start = k + 1
    recovery = start + crossing + wait + k
    facts = [Fact(start + crossing - 1, "silent")]
    if wait:
        facts += [Fact(start + crossing, "pending"), Fact(start + crossing + wait - 1, "pending")]
    facts += [
        Fact(start + crossing + wait, "firing", ((shows, 0.0),)),
        Fact(recovery + min(k // 4, k - 1 - crossing), "firing", ((shows, 0.0),)),
        Fact(recovery + k + 1, "silent"),
    ]
    story = [(start, _ZERO), (recovery - start, burst), (2 * k + 2, _ZERO)]
    return Case("for", "a burst that ends", write(story, "one"), tuple(facts))


def _single(kit: Kit, write: Writer, shows: Mapping[str, str]) -> Case:
    """An event is seen at once, until the window has passed."""
    k, wait = kit.window_steps, kit.for_steps
    # Before, every series is new.
    start = k + 1
    last = start + 1 + wait
    facts = [Fact(start, "silent")]
    if wait:
        facts += [Fact(start + 1, "pending"), Fact(last - 1, "pending")]
    facts += [
        Fact(last, "firing", ((shows, 0.0),)),
        Fact(last + k - 2, "firing", ((shows, 0.0),)),
        Fact(last + k + 1, "silent"),
    ]
    story = [(start, _ZERO), (1 + wait, Decimal(1)), (2 * k + 2, _ZERO)]
    return Case("for", "events that end", write(story, "one"), tuple(facts))


def _born(kit: Kit, write: Writer, events: Decimal, shows: Mapping[str, str]) -> Case:
    """Instances come up one after another, each with so many events that one is enough, and no more.

    A plain increase sees nothing of it.
    """
    k, wait = kit.window_steps, kit.for_steps
    pace = max(1, k // 3)
    first = earliest_birth(kit)
    end = first + 1 + wait
    series: list[Sample] = []
    births = range(first, end, pace)
    forgotten = births[-1] + k + 1
    for number, birth in enumerate(births):
        story = [(birth, None), (1, events), (forgotten - birth, _ZERO)]
        series += write(story, f"pod-{number}")
    says = "every instance is born with one event" if events == 1 else "every instance is born with events"
    facts = (
        Fact(first - 1, "silent"),
        Fact(end, "firing", ((shows, 0.0),)),
        Fact(forgotten - 2, "firing", ((shows, 0.0),)),
        Fact(forgotten, "silent"),
    )
    return Case("born", says, (answering(kit, forgotten), *series), facts)


def _first_sight(kit: Kit, line: Decimal) -> Track:
    return [(FIRST_SIGHT, None), (1, 10 * (line + 1)), (first_sight_steps(kit), _ZERO)]


def _gone(kit: Kit, write: Writer, line: Decimal, shows: Mapping[str, str]) -> Case:
    """The instance that counted is replaced: what it counted is forgotten only as the window passes."""
    k, wait = kit.window_steps, kit.for_steps
    settled = k + wait
    many = exact(2 * (line + 1) / k) or Decimal(1)
    story = [(settled, many), (k + 3, None)]
    facts = (
        Fact(settled, "firing", ((shows, 0.0),)),
        Fact(settled + 1, "firing", ((shows, 0.0),)),
        Fact(settled + k + 1, "silent"),
    )
    return Case("gone", "the instance that counted vanishes", write(story, "one"), facts)
