"""Which labels an alert will carry: those of its series, and those that its rule adds."""

from __future__ import annotations

from obs.lint.project import Project
from obs.lint.promql.labels import ANY, Labels
from obs.lint.promql.nodes import Selector
from obs.lint.promql.shape import selectors
from obs.lint.read.rules import Rule


def of_series(alert: Rule, project: Project) -> Labels:
    """Return the labels that the series of its expression may have."""
    if alert not in project.labels:
        project.labels[alert] = _of_series(alert, project)
    return project.labels[alert]


def _of_series(alert: Rule, project: Project) -> Labels:
    root = alert.query.parsed.root if alert.query is not None else None
    if root is None or alert.query is None or alert.query.language != "promql":
        return ANY
    labels = project.produced(root)
    if labels.is_open:
        # What a selector demands is there.
        demanded = {
            matcher.label
            for selector in ([root] if isinstance(root, Selector) else selectors(root))
            for matcher in selector.matchers
            if matcher.op in {"=", "=~"} and matcher.value
        }
        return Labels(labels.names | demanded, is_open=True)
    return labels


def static(alert: Rule, project: Project) -> frozenset[str]:
    """Return the labels that its rule or group gives it; an empty value takes one away."""
    if alert not in project.static_labels:
        project.static_labels[alert] = _static(alert)
    return project.static_labels[alert]


def _static(alert: Rule) -> frozenset[str]:
    return frozenset(name for name in {*alert.group.labels, *alert.labels} if alert.label(name))


def certainly_without(alert: Rule, label: str, project: Project) -> bool:
    """Tell whether the alert cannot carry `label`."""
    return label not in static(alert, project) and not of_series(alert, project).may_have(label)
