"""The same rule twice, or two rules that write the same series."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.rules import Rule


def _run(project: Project) -> Iterator[Finding]:
    # In other folders the same rules may serve another environment.
    namesakes: dict[tuple[str, ...], list[Rule]] = {}
    for rule in project.rules:
        folder = rule.name.source.file.rpartition("/")[0]
        namesakes.setdefault((folder, rule.kind, rule.name.value), []).append(rule)
    for rules in namesakes.values():
        if len(rules) > 1:
            yield from _judged(rules)


def _judged(namesakes: list[Rule]) -> Iterator[Finding]:
    first: dict[tuple[object, ...], Rule] = {}
    for rule in namesakes:
        labels = _labels(rule)
        # One of the same file is nearer than one of another.
        earlier = first.setdefault((labels, id(rule.name.source)), rule)
        if earlier is rule:
            earlier = first.setdefault((labels,), rule)
        if earlier is rule:
            continue
        same = _text(rule) == _text(earlier)
        if not same and earlier.name.source is not rule.name.source:
            continue
        if not same and rule.kind == "record" and _parts(rule) == _parts(earlier):
            continue  # each records another share of the same series
        what = "is written twice" if same else "has a namesake with the same labels and another expression"
        yield Finding(
            rule.name.span,
            f"{rule.kind} {rule.name.value} {what}",
            f"the other one is at {earlier.name.span.place}",
            _deleted(rule, earlier),
            severity=None if same or rule.kind == "record" else "info",
        )


def _labels(rule: Rule) -> frozenset[tuple[str, str]]:
    return frozenset([(name, rule.label(name)) for name in {*rule.group.labels, *rule.labels}])


def _text(rule: Rule) -> str:
    return " ".join(rule.query.text.value.split()) if rule.query is not None else ""


def _deleted(rule: Rule, earlier: Rule) -> Fix | None:
    """Return the edit that takes a rule away which says word by word what one before it in its group says."""
    source = rule.span.source
    here, there = (source.text[one.span.start : one.span.end] for one in (rule, earlier))
    if rule.group is not earlier.group or here.split() != there.split():
        return None
    first, last = source.line_of(rule.span.start), source.line_of(rule.span.end - 1)
    start = source.line_start(first)
    # Whatever else stands in its lines stays.
    alone = source.text[start : rule.span.start].strip() == "-"
    if not alone or source.text[rule.span.end : source.line_start(last + 1)].strip():
        return None
    return Fix("delete it", (Edit(start, source.line_start(last + 1), ""),))


def _parts(rule: Rule) -> str:
    """Return the expression without the values of its matchers."""
    return _STRING.sub('""', _text(rule))


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')

CHECK = Check("duplicate-rule", "warning", ("rules",), _run)
