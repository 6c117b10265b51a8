"""`match`, `match_re` and their like for inhibitions: deprecated since Alertmanager 0.22."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, value
from obs.lint.read.matchers import Matcher, Operator
from obs.lint.read.yaml_tree import Entry

_KEYS: Mapping[str, tuple[str, Operator]] = {
    "match": ("matchers", "="),
    "match_re": ("matchers", "=~"),
    "source_match": ("source_matchers", "="),
    "source_match_re": ("source_matchers", "=~"),
    "target_match": ("target_matchers", "="),
    "target_match_re": ("target_matchers", "=~"),
}


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        owners = [route.own for route in config.route.all] if config.route else []
        for own in [*owners, *(rule.own for rule in config.inhibitions)]:
            yield from _judged(own)


def _judged(own: Mapping[str, Entry]) -> Iterator[Finding]:
    for key, (new, operator) in _KEYS.items():
        if key in own:
            # Two keys that become one are for a person to join.
            rivals = {other for other, (name, _) in _KEYS.items() if name == new} - {key} | {new}
            fix = _fix(own[key], new, operator) if not rivals & set(own) else None
            message = f"{key} is deprecated, {new} says the same"
            yield Finding(own[key].key.span, message, f"{new}: ['label{operator}\"value\"']", fix)


def _fix(entry: Entry, new: str, operator: Operator) -> Fix | None:
    source, start, end = entry.span
    pairs = [(name, value(inner)) for name, inner in entry.node.keys.items()]
    # Comments between the lines would be lost.
    if "#" in source.text[start:end] or not pairs or any(text is None for _, text in pairs):
        return None
    matchers = [str(Matcher(name, operator, text.value)) for name, text in pairs if text is not None]
    quoted = ", ".join("'" + matcher.replace("'", "''") + "'" for matcher in matchers)
    return Fix(f"write {new}", (Edit(start, end, f"{new}: [{quoted}]"),))


CHECK = Check("matcher-legacy", "info", ("alertmanager",), _run)
