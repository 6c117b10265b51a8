"""Where Alertmanager sends an alert, computed as its dispatcher does.

A route takes what meets all its matchers. Its children are asked in order; one that takes the alert ends
the search unless it says `continue`; a route whose children all decline keeps the alert itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from obs.lint.read.alertmanager import Route
from obs.lint.read.matchers import Answer, Labels, both


@dataclass(frozen=True, slots=True)
class Arrival:
    """A route that an alert ends at, surely or perhaps."""

    route: Route
    sure: bool


def arrivals(route: Route, labels: Labels) -> tuple[Arrival, ...]:
    """Return the routes at which an alert with `labels` ends, in Alertmanager's order."""
    taken = both(matcher.meets(labels) for matcher in route.matchers)
    return tuple(_walk(route, labels, taken)) if taken is not Answer.NO else ()


def _walk(route: Route, labels: Labels, taken: Answer) -> Iterator[Arrival]:
    #: Whether some child takes the alert, as far as the ones asked until now can tell.
    kept = Answer.NO
    sure = taken is Answer.YES
    for child in route.routes:
        answer = both(matcher.meets(labels) for matcher in child.matchers)
        if answer is Answer.NO:
            continue
        reached = min(answer, Answer.YES if sure else Answer.MAYBE, key=lambda item: item.value)
        yield from _walk(child, labels, reached)
        kept = max(kept, answer, key=lambda item: item.value)
        if not child.goes_on:
            if answer is Answer.YES:
                return
            # The alert may have stopped here: whatever follows is reached only perhaps.
            sure = False
    if kept is not Answer.YES:
        yield Arrival(route, sure and kept is Answer.NO)
