"""An inhibition that compares a label which no alert has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obs.lint import alert_labels
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, Inhibition, Written, texts
from obs.lint.read.matchers import Answer, Labels, both


def _run(project: Project) -> Iterator[Finding]:
    labels = [alert_labels.of(alert, project.settings) for alert in project.alerts]
    for config in project.of(Configuration) if labels else ():
        for rule in config.inhibitions:
            yield from _judged(rule, labels)


def _judged(rule: Inhibition, labels: Sequence[Labels]) -> Iterator[Finding]:
    sides = (("source", rule.source), ("target", rule.target))
    for name, side in sides:
        met = [known for known in labels if _meets(side, known)]
        if side and not met:
            message = f"none of the {len(labels)} alerts that were read can be the {name} of this rule"
            yield Finding(side[0].text.span, message, severity="info")
            return
    for text in texts(rule.own.get("equal")):
        # That one of two alerts lacks the label is what tells them apart; that nobody has it is a mistake.
        if all(known.get(text.value) == "" for known in labels):
            message = f"no alert has the label {text.value!r}, so it is equal for all of them"
            yield Finding(text.span, message)


def _meets(side: tuple[Written, ...], labels: Labels) -> bool:
    return both(written.matcher.meets(labels) for written in side) is not Answer.NO


CHECK = Check("inhibition-label-missing", "warning", ("alertmanager",), _run)
