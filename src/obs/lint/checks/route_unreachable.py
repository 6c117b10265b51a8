"""A route that no alert reaches: taken before by another one, at odds with its parent, or wanted by no alert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obs.lint import alert_labels
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, Route
from obs.lint.read.matchers import Labels, Matcher
from obs.lint.routing import arrivals
from obs.lint.source import Span


def _run(project: Project) -> Iterator[Finding]:
    labels = [alert_labels.of(alert, project.settings) for alert in project.alerts]
    for config in project.of(Configuration):
        if config.route is None:
            continue
        dead: set[int] = set()
        for route, message, hint in _shadowed(config.route, ()):
            dead |= {id(one) for one in route.all}
            yield Finding(_span(route), message, hint)
        yield from _unwanted(config.route, labels, dead)


def _span(route: Route) -> Span:
    return route.written[0].text.span if route.written else route.node.span


def _shadowed(route: Route, outer: tuple[Matcher, ...]) -> Iterator[tuple[Route, str, str]]:
    """Yield the routes that no labels whatever can reach."""
    outer = (*outer, *route.matchers)
    before: list[Route] = []
    for child in route.routes:
        own = child.matchers
        enemy = next(((one, other) for one in own for other in (*outer, *own) if one.excludes(other)), None)
        taker = next((sibling for sibling in before if _takes_all(sibling, (*outer, *own))), None)
        if enemy is not None:
            message = f"no alert can have {enemy[0]} and {enemy[1]}, so none reaches this route"
            yield child, message, "a route below another one gets only what that one takes"
        elif taker is not None:
            line = _span(taker).place.line
            message = f"no alert reaches this route: {taker.words} takes them all before"
            yield child, message, f"put it before that one in line {line}, or give that one `continue: true`"
        else:
            yield from _shadowed(child, outer)
        if not child.goes_on:
            before.append(child)


def _takes_all(earlier: Route, own: Sequence[Matcher]) -> bool:
    """Tell whether whatever meets `own` meets every matcher of an earlier route."""
    return all(any(mine.implies(theirs) for mine in own) for theirs in earlier.matchers)


def _unwanted(root: Route, labels: Sequence[Labels], dead: set[int]) -> Iterator[Finding]:
    """Yield the routes that none of the alerts that were read can end at."""
    if not labels:
        return
    reached = {id(arrival.route) for known in labels for arrival in arrivals(root, known)}
    for route in root.all:
        alive = any(id(one) in reached for one in route.all)
        if route.depth and not alive and id(route) not in dead:
            # Its children are reached no more than it is: one finding says it.
            dead |= {id(one) for one in route.all}
            message = f"none of the {len(labels)} alerts that were read can reach this route"
            yield Finding(_span(route), message, severity="info")


CHECK = Check("route-unreachable", "warning", ("alertmanager",), _run)
