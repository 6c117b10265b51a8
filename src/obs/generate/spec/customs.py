"""`custom_alerts:` of a spec: alerts that it writes out, with their tests and runbooks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from obs.catalogue.signal import TARGET_LABELS
from obs.generate.model import SEVERITIES, CustomAlert, CustomTest, Duration, Severity, State
from obs.generate.spec import fields
from obs.generate.spec.document import MAX_BYTES, Entry, Node
from obs.generate.spec.shape.alerts import CUSTOM_ALERT, CUSTOM_NAME, DEFAULT_CATEGORY, TEST

_STATES: Mapping[str, State] = {"silent_at": "silent", "pending_at": "pending", "fires_at": "firing"}
#: Labels that every alert gets from its service.
OWN_LABELS = frozenset({*TARGET_LABELS, "alertname", "alertstate", "team", "severity", "category"})
HEADINGS = ("Meaning", "Impact", "Diagnosis", "Mitigation")
#: Parts that obs writes into every page.
_OWN_PARTS = frozenset({"", "facts", "expression"})
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
#: One item of promtool's notation: a value, a gap, the end of a series, or a run such as 0+60x30.
_VALUES = re.compile(rf"(?:_(?:x\d+)?|stale|{_NUMBER}(?:[+-]{_NUMBER[5:]})?(?:x\d+)?)\Z")
_MINUTE = Duration.parse("1m")


def read(node: Node) -> tuple[CustomAlert, ...]:
    """Read every custom alert that is not switched off, ordered by name."""
    entries = sorted(fields.mapping(node, "custom_alerts").items())
    return tuple(alert for key, entry in entries if (alert := _alert(key, entry)) is not None)


def _alert(key: str, entry: Entry) -> CustomAlert | None:
    what = f"custom_alerts.{key}"
    if not CUSTOM_NAME.match(key):
        raise fields.refuse(entry, f"{what}: got {key!r}, expected a name such as BasketAbandoned")
    own = fields.mapping(entry.node, what, CUSTOM_ALERT.names)
    if "disabled" in own:
        fields.reason(own["disabled"].node, f"{what}.disabled")

    def required(name: str) -> Node:
        return fields.required(own, name, entry.node, what)

    expr_node, severity = required("expr"), required("severity")
    summary = fields.text(required("summary"), f"{what}.summary") if "summary" in own else _spoken(key)
    wait, keep = own.get("for"), own.get("keep_firing_for")
    for_ = fields.duration(wait.node, f"{what}.for", zero=True) if wait else Duration(0)
    tests = _tests(required("tests"), f"{what}.tests")
    _check_wait(tests, for_, own["tests"].node, f"{what}.tests")
    alert = CustomAlert(
        name=key,
        expr=fields.lines(expr_node, f"{what}.expr"),
        for_=for_,
        severity=cast("Severity", fields.choice(severity, f"{what}.severity", SEVERITIES)),
        category=(
            fields.name(own["category"].node, f"{what}.category") if "category" in own else DEFAULT_CATEGORY
        ),
        summary=summary,
        description=(
            fields.lines(own["description"].node, f"{what}.description") if "description" in own else summary
        ),
        tests=tests,
        runbook=_runbook(required("runbook"), f"{what}.runbook"),
        place=entry.key,
        expr_place=expr_node.place,
        labels=_labels(own["labels"].node, f"{what}.labels") if "labels" in own else {},
        keep_firing_for=fields.duration(keep.node, f"{what}.keep_firing_for") if keep else None,
        unit=fields.text(own["unit"].node, f"{what}.unit") if "unit" in own else "short",
    )
    return None if "disabled" in own else alert


def _spoken(name: str) -> str:
    """Return a name as words: BasketAbandoned is ``{{ $labels.service }}: basket abandoned``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return "{{ $labels.service }}: " + words.lower()


def _labels(node: Node, what: str) -> dict[str, str]:
    found = {}
    for key, entry in sorted(fields.mapping(node, what).items()):
        label, value = fields.label(entry, key)
        if label in OWN_LABELS:
            raise fields.refuse(
                entry, f"{what}: label {label!r} is given by the service, or has a key of its own"
            )
        found[label] = value
    return found


def _tests(node: Node, what: str) -> tuple[CustomTest, ...]:
    tests = tuple(_test(item, f"{what}.{n}", n) for n, item in enumerate(fields.texts(node, what), start=1))
    states = {state for test in tests for _, state in test.expects}
    for wanted, key in (("firing", "fires_at"), ("silent", "silent_at")):
        if wanted not in states:
            raise fields.refuse(
                node, f"{what}: no test says when the alert is {wanted}", f"add {key}: to one"
            )
    return tests


def _check_wait(tests: Sequence[CustomTest], for_: Duration, node: Node, what: str) -> None:
    """Refuse what `for` makes impossible."""
    for test in tests:
        for at, state in test.expects:
            if state == "pending" and not for_:
                raise fields.refuse(node, f"{what}: an alert without 'for' is never pending")
            if state == "firing" and at < for_:
                raise fields.refuse(node, f"{what}: it cannot fire at {at}, for it waits {for_}")


def _test(node: Node, what: str, number: int) -> CustomTest:
    own = fields.mapping(node, what, TEST.names)
    interval = own.get("interval")
    step = fields.duration(interval.node, f"{what}.interval") if interval else _MINUTE
    expects: list[tuple[Duration, State]] = []
    for key, state in _STATES.items():
        if key in own:
            expects += [(at, state) for at in _instants(own[key].node, f"{what}.{key}", step)]
    if not expects:
        raise fields.refuse(node, f"{what} expects nothing", f"add one of: {', '.join(_STATES)}")
    instants = [at for at, _ in expects]
    twice = next((at for at in instants if instants.count(at) > 1), None)
    if twice is not None:
        raise fields.refuse(node, f"{what}: two states are expected at {twice}")
    series = fields.required(own, "series", node, what)
    return CustomTest(
        says=fields.text(own["name"].node, f"{what}.name") if "name" in own else f"test {number}",
        step=step,
        series={
            selector: _values(entry.node, f"{what}.series")
            for selector, entry in sorted(fields.mapping(series, f"{what}.series").items())
        },
        expects=tuple(sorted(expects)),
        count=fields.integer(own["count"].node, f"{what}.count", 1, 1000) if "count" in own else 1,
        place=node.place,
    )


def _instants(node: Node, what: str, step: Duration) -> list[Duration]:
    found = []
    for item in fields.texts(node, what) if isinstance(node.value, tuple) else (node,):
        at = fields.duration(item, what, zero=True)
        if at.milliseconds % step.milliseconds:
            raise fields.refuse(item, f"{what}: got {at}, expected a multiple of the test's interval, {step}")
        found.append(at)
    return found


def _values(node: Node, what: str) -> str:
    written = fields.text(node, what)
    for part in written.split():
        if not _VALUES.match(part):
            raise fields.refuse(
                node,
                f"{what}: got {part!r}, expected values such as 0+60x30",
                "promtool's notation for series",
            )
    return " ".join(written.split())


def _runbook(node: Node, what: str) -> dict[str, str]:
    """Return the sections of a Markdown file, by heading."""
    written = fields.text(node, what)
    path = Path(node.place.file).parent / written
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        raise fields.refuse(
            node, f"{what}: cannot read {written!r}", "a Markdown file beside this one, relative to it"
        ) from None
    if len(text) > MAX_BYTES or "<!-- obs:" in text:
        raise fields.refuse(node, f"{what}: {written!r} is no runbook that a person wrote")
    sections = _sections(text)
    for heading in HEADINGS:
        if not sections.get(heading):
            raise fields.refuse(
                node,
                f"{what}: {written!r} has no text under '## {heading}'",
                f"a runbook has {', '.join(f'## {one}' for one in HEADINGS)}",
            )
    marks = [re.sub(r"[^a-z]", "", heading.lower()) for heading in sections]
    for heading, mark in zip(sections, marks, strict=True):
        if mark in _OWN_PARTS or marks.count(mark) > 1:
            raise fields.refuse(
                node, f"{what}: {written!r} may not have a part of its own called {heading!r}"
            )
    return sections


def _sections(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if mark:
            fence = "" if fence and line.strip().startswith(fence) else fence or mark[1]
        heading = re.match(r"## +(.+?)\s*#*\s*\Z", line) if not fence else None
        if heading:
            current = found.setdefault(heading[1], [])
        else:
            current.append(line)
    return {heading: "\n".join(lines).strip() for heading, lines in found.items()}
