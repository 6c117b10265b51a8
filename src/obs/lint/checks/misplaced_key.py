"""A label or annotation that stands beside `expr` instead of under its heading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.meant import block
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.rules import RULE_KEYS, Rule
from obs.lint.read.yaml_tree import Entry


def _run(project: Project) -> Iterator[Finding]:
    for rule in project.rules:
        if rule.keys.keys() <= RULE_KEYS:
            continue
        strangers = {key: entry for key, entry in rule.keys.items() if key not in RULE_KEYS}
        for target in ("labels", "annotations"):
            # One edit moves all of them, or two would each begin a block of their own.
            moved = [entry for key, entry in strangers.items() if _target(rule, key) == target]
            for number, entry in enumerate(moved):
                yield Finding(
                    entry.key.span,
                    f"{entry.key.value!r} stands beside expr: Prometheus refuses the whole file",
                    f"it belongs under {target}",
                    _moved(rule, moved, target) if number == 0 else None,
                )
        for key, entry in strangers.items():
            if not _target(rule, key):
                yield Finding(
                    entry.key.span,
                    f"a rule has no key {key!r}: Prometheus refuses the whole file",
                    suggest(key, RULE_KEYS) or f"known: {', '.join(sorted(RULE_KEYS))}",
                )


def _target(rule: Rule, key: str) -> str:
    target = block(key)
    return target if rule.is_alert or target == "labels" else ""


def _moved(rule: Rule, entries: Sequence[Entry], target: str) -> Fix | None:
    """Return the edits that put whole lines under `target`; None where layout or names forbid it."""
    source = rule.name.source
    text = source.text
    # What is merged in from elsewhere others may read there.
    own = [entry.key for entry in rule.keys.values() if rule.span.start <= entry.key.start < rule.span.end]
    first_key = min(own, key=lambda key: key.start)
    indent = " " * (source.column_of(first_key.start) - 1)
    present = rule.keys.get(target)
    known = rule.labels if target == "labels" else rule.annotations
    lines, edits = [], []
    for entry in entries:
        start = text.rfind("\n", 0, entry.key.start) + 1
        end = text.find("\n", entry.node.span.end)
        end = len(text) if end < 0 else end + 1
        value = text[entry.key.start : end].rstrip("\r\n")
        if (
            text[start : entry.key.start].strip()
            or "\n" in value
            or entry.key.value in known
            or entry.key not in own
        ):
            return None
        lines.append(value)
        edits.append((start, end))
    newline = "\r\n" if "\r\n" in text else "\n"
    if present is None or present.node.is_null:
        if present is not None:
            return None
        body = newline.join([f"{indent}{target}:", *(f"{indent}  {line}" for line in lines)]) + newline
        (first, until), *others = edits
        return Fix(
            f"move it under {target}",
            (Edit(first, until, body), *(Edit(start, end, "") for start, end in others)),
        )
    if not known:
        return None
    if present.node.raw.flow_style:
        last = max(known.values(), key=lambda entry: entry.node.span.end).node.span.end
        if any("#" in line for line in lines):
            return None
        insertion = Edit(last, last, "".join(f", {line}" for line in lines))
    else:
        top = min(known.values(), key=lambda entry: entry.key.start).key
        pad = " " * (source.column_of(top.start) - 1)
        insertion = Edit(top.start, top.start, "".join(f"{line}{newline}{pad}" for line in lines))
    return Fix(f"move it under {target}", (insertion, *(Edit(start, end, "") for start, end in edits)))


CHECK = Check("misplaced-key", "error", ("rules",), _run)
