"""Findings -> a commented spec to start from, which is right as it stands."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from obs.catalogue import Counter, Histogram
from obs.errors import ObsError
from obs.generate import checking
from obs.generate.adopt.findings import Findings
from obs.generate.adopt.roles import FoundLabel, Role
from obs.generate.model import Duration
from obs.generate.spec.shape.signals import SCALES

SCHEMA_LINE = "# yaml-language-server: $schema=./spec.schema.json"
#: More metrics than these without a place are listed by nobody.
_MOST_LEFT = 200
#: What is said of a threshold that the buckets found cannot tell.
_MUTE = re.compile(r"alerts\.(\w+)\.threshold: (.*can never be exceeded.*)")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z")
#: YAML takes these for something else than words.
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
#: What most people wait for without impatience; the bound next to it is proposed.
_PATIENCE_S = 0.5


def write(found: Findings, team: str, folder: Path) -> str:
    """Return the text of a spec that `obs spec check` accepts, to be put into `folder`.

    A role that turns out to be impossible is left out and listed with the reason.
    """
    while True:
        mistake = _mistake(_text(found, team, found.contract and str(Path(found.contract).resolve())))
        if mistake is None:
            beside = found.contract and os.path.relpath(Path(found.contract).resolve(), folder.resolve())
            return _text(found, team, beside)
        mute = _MUTE.match(mistake.message)
        if mute is not None and mute[1] not in dict(found.mute):
            found = replace(found, mute=tuple(sorted((*found.mute, (mute[1], mute[2])))))
            continue
        odd = next((role for role in found.roles if role.signal.id in mistake.message), None)
        if odd is None:
            raise mistake
        found = found.without(odd, mistake.message)


def _mistake(text: str) -> ObsError | None:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "spec.yml")
        path.write_text(text, encoding="utf-8")
        mistakes = checking.check([path]).mistakes
    return mistakes[0].error if mistakes else None


def _text(found: Findings, team: str, contract: str) -> str:
    blocks = [
        _head(found, team),
        _metrics(found, contract),
        _capabilities(found),
        _objectives(found),
        _mute(found),
        _jobs(found),
        _routes(),
        _left(found),
    ]
    return "\n".join("\n".join(block) + "\n" for block in blocks if block)


def _head(found: Findings, team: str) -> list[str]:
    source = re.sub(r"[^\x20-\x7e]", "?", found.source)
    unnamed = [] if found.service else ["# Change the name: label `service` of the targets in Prometheus."]
    return [
        SCHEMA_LINE,
        "# (`obs spec schema > spec.schema.json` writes it.)",
        f"# A start, made by `obs spec init` from {source}.",
        "# Prove it with `obs spec check`; see what it makes with `obs generate --diff`.",
        "version: obs/v1",
        *unnamed,
        f"service: {{name: {_word(found.service or 'my-service')}, team: {_word(team or 'my-team')}, tier: standard}}",
    ]


def _metrics(found: Findings, contract: str) -> list[str]:
    if contract:
        return [
            "# The signals that the service exports; export it anew when they change.",
            f"contract: {_word(contract)}",
        ]
    if found.own:
        return (
            ["# The metrics of the SDK under their classic names.", "dialect: classic"]
            if found.dialect == "classic"
            else []
        )
    lines = [
        "# The service is instrumented with something else: only what `mapping` names exists.",
        "contract: none",
    ]
    if found.roles:
        lines += [
            "# Its metrics in the roles of signals (`obs catalogue list`), with labels and buckets as found.",
            "mapping:",
        ]
    for role in found.roles:
        lines += [f"  {role.signal.id}:", *(f"    {line}" for line in _role(role))]
    return lines


def _role(role: Role) -> list[str]:
    lines = [f"metric: {_word(role.metric)}"]
    if role.labels:
        lines += ["labels:", *(f"  {name}: {_label(label)}" for name, label in role.labels)]
    else:
        lines.append("labels: {}")
    if role.bad is not None:
        metric, label, value = role.bad
        lines.append(f"bad: {{metric: {_word(metric)}, when: {{{label}: {_word(value)}}}}}")
    if role.buckets:
        unit = [f"unit: {role.unit}"] if role.unit != "s" else []
        lines += [*unit, f"buckets: [{', '.join(_number(bound) for bound in role.buckets)}]"]
    return lines


def _label(label: FoundLabel) -> str:
    if label.classes:
        return f"{{label: {_word(label.name)}, values: class}}"
    if label.values:
        values = ", ".join(f"{_word(one)}: [{', '.join(map(_word, names))}]" for one, names in label.values)
        return f"{{label: {_word(label.name)}, values: {{{values}}}}}"
    return _word(label.name)


def _capabilities(found: Findings) -> list[str]:
    return [
        "# What it can do: each brings panels, alerts, tests and runbooks.",
        "# Add `logs` when its logs reach Loki, `tls` and `probes` when a blackbox exporter watches it.",
        f"capabilities: [{', '.join(found.capabilities)}]",
    ]


def _objectives(found: Findings) -> list[str]:
    lines: list[str] = []
    roles = {role.signal.id: role for role in found.roles}
    for signal in found.signals:
        role = roles.get(signal.id)
        status = "http.response.status_code"
        has_status = status in dict(role.labels) if role else signal.label(status) is not None
        if signal.id == "http.server.requests" and isinstance(signal, Counter) and has_status:
            lines += [
                "  availability:",
                "    objective: 99.9",
                f"    sli: {{ratio: {{total: {signal.id}, bad: {{{status}: 5xx}}}}}}",
            ]
        bound = _bound(signal.buckets, role) if isinstance(signal, Histogram) else None
        if signal.id == "http.server.duration" and bound is not None:
            lines += [
                "  latency:",
                "    objective: 99",
                f"    sli: {{latency: {{signal: {signal.id}, under: {bound}}}}}",
            ]
    return (
        ["# What it promises: agree on the figures with whoever depends on it.", "slos:", *lines]
        if lines
        else []
    )


def _bound(declared: Sequence[float], role: Role | None) -> Duration | None:
    scale = SCALES[role.unit] if role else 1
    spans = {
        Duration(round(bound / scale * 1000)): bound / scale for bound in (role.buckets if role else declared)
    }
    # A bound between two milliseconds cannot be written.
    exact = [span for span, bound in spans.items() if span and float(span.seconds) == bound]
    return min(exact, key=lambda span: abs(float(span.seconds) - _PATIENCE_S), default=None)


def _mute(found: Findings) -> list[str]:
    if not found.mute:
        return []
    return [
        "# Alerts whose usual threshold the buckets cannot tell: give each a lower one, or the histogram more buckets.",
        "alerts:",
        *(f"  {alert}: {{disabled: {json.dumps(reason)}}}" for alert, reason in found.mute),
    ]


def _jobs(found: Findings) -> list[str]:
    if not found.jobs:
        return []
    return [
        "# Jobs that were seen; the page does not tell how often they run: change what is guessed here.",
        "jobs:",
        *(f"  {_word(name)}: {{schedule: 24h, grace: 2h}}" for name in found.jobs),
    ]


def _routes() -> list[str]:
    return [
        "# Who hears of alerts; a receiver's name begins with its kind, its secret is a file of Alertmanager.",
        "# notify: {page: pagerduty-my-team, ticket: slack-my-team}",
        "# links: {runbooks: https://runbooks.example.com, grafana: https://grafana.example.com}",
    ]


def _left(found: Findings) -> list[str]:
    if not found.left:
        return []
    reasons: dict[str, list[str]] = {}
    for metric, reason in found.left[:_MOST_LEFT]:
        reasons.setdefault(reason, []).append(metric)
    lines = ["# Not placed:"]
    for reason, metrics in reasons.items():
        lines += [f"#   {re.sub(r'[^ -~…]', '?', reason)}", *(f"#     {metric}" for metric in metrics)]
    more = len(found.left) - _MOST_LEFT
    return [*lines, f"#   and {more} more"] if more > 0 else lines


def _number(bound: float) -> str:
    return f"{bound:.12g}"


def _word(text: str) -> str:
    """Return a text as YAML and our readers take it for one."""
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
