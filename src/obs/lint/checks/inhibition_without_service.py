"""An inhibition that compares labels which both sides may lack: two that lack it count as equal."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, Inhibition, Written

#: Equal for one kind of alert wherever it fires; it does not tell services apart.
_NO_IDENTITY = frozenset({"alertname", "severity", "team", "tier", "category"})


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        for rule in config.inhibitions:
            yield from _judged(rule)


def _judged(rule: Inhibition) -> Iterator[Finding]:
    span = rule.own["equal"].span if "equal" in rule.own else rule.node.span
    if not rule.equal:
        message = "without `equal` one such alert silences the targets of every service"
        yield Finding(span, message, "equal: [service, environment]", severity="error")
        return
    identities = [label for label in rule.equal if label not in _NO_IDENTITY]
    if not identities:
        message = f"nothing in `equal` tells services apart ({', '.join(rule.equal)})"
        yield Finding(span, message, 'add service, and require it: the matcher service!="" on both sides')
        return
    needed = {*_needed(rule.source), *_needed(rule.target)}
    if not needed & set(identities):
        label = next(
            (known for known in ("service", "namespace", "job") if known in identities), identities[0]
        )
        message = f"alerts without {label} count as equal, so one of them silences all others without it"
        yield Finding(span, message, f'require it: the matcher {label}!="" on both sides')


def _needed(side: tuple[Written, ...]) -> set[str]:
    return {written.matcher.name for written in side if written.matcher.needs}


CHECK = Check("inhibition-without-service", "warning", ("alertmanager",), _run)
