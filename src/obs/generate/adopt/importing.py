"""A file of sloth -> a spec of ours with custom SLOs, its contract, and what could not be carried over."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from obs.catalogue import Signal, contract, target
from obs.errors import ObsError
from obs.generate import checking
from obs.generate.adopt import samples
from obs.generate.adopt.signals import declared
from obs.generate.adopt.sloth import Objective, Source
from obs.generate.adopt.starter import SCHEMA_LINE
from obs.generate.derive.promql import keeps
from obs.generate.derive.promql.counting import counted
from obs.generate.derive.promql.syntax import Node, Number, Operation, Selector, read, selectors
from obs.generate.model import WINDOW_HOLE, Place
from obs.generate.spec.names import NAME

#: Stands for the range while a query is parsed: nobody would write it.
_RANGE = "7m19s"
#: Whose budget it is.
_LABELS = ("service", "environment")


@dataclass(frozen=True, slots=True)
class Lost:
    """Something of a file that the spec does not say."""

    what: str
    reason: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A spec, the contract beside it, and what is missing in them."""

    spec: str
    contract: str
    objectives: tuple[str, ...]
    lost: tuple[Lost, ...]


@dataclass(frozen=True, slots=True)
class _Counted:
    """One objective in our terms."""

    name: str
    source: Objective
    bad: str
    total: str
    good_series: tuple[str, ...]
    bad_series: tuple[str, ...]


def convert(source: Source, contract_name: str, team: str = "") -> Imported:
    """Return the spec of `source`, whose contract will be called `contract_name`.

    Every objective has been checked on its own; one that cannot be is among what is lost.
    """
    service, lost = _named(source.service), [Lost(what, reason) for what, reason in source.dropped]
    if service != source.service:
        lost.append(
            Lost("service", f"{source.service!r} became {service!r}, for a name is letters, digits, - and _")
        )
    kept: list[_Counted] = []
    for objective in source.objectives:
        try:
            one = _counted(objective)
            _check(service, one)
            # One contract has to hold the metrics of all of them.
            contract.loads(contract.dumps(_merged([*kept, one]), service), contract_name)
        except ObsError as error:
            lost.append(Lost(f"slo {objective.name!r}", error.message, objective.place))
            continue
        if any(other.name == one.name for other in kept):
            lost.append(Lost(f"slo {objective.name!r}", "another has the same name", objective.place))
            continue
        kept.append(one)
        lost += [
            Lost(f"slo {objective.name!r}: {what}", reason, objective.place)
            for what, reason in objective.dropped
        ]
    return Imported(
        _spec(service, _named(team or source.team or "my-team"), contract_name, kept, lost),
        contract.dumps(_merged(kept), service),
        tuple(one.name for one in kept),
        tuple(lost),
    )


def _named(written: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", written).strip("-")[:63]
    return plain if NAME.match(plain) else f"x-{plain}"[:63]


def _counted(objective: Objective) -> _Counted:
    """Return an objective as events; raise `ObsError` with the reason where it is none."""
    if objective.events is None and not objective.ratio:
        raise ObsError("its SLI comes from a plugin of sloth, which only sloth can run")
    bad, total = objective.events or _events(objective.ratio)
    bad, total = (counted(text.replace(WINDOW_HOLE, _RANGE), _LABELS) for text in (bad, total))
    for text in (bad, total):
        lacking = [label for label in _LABELS if not keeps(text, label)]
        if lacking:
            written = text.replace(_RANGE, "{{.window}}")
            raise ObsError(f"its query cannot be grouped by {' and '.join(lacking)}: {written}")
    if any(not one.metric for text in (bad, total) for one in selectors(read(text))):
        raise ObsError("it reads series of any name: a contract declares them by name")
    recorded = [one.metric for text in (bad, total) for one in selectors(read(text)) if ":" in one.metric]
    if recorded:
        raise ObsError(f"it reads {recorded[0]}, which a rule records: no contract declares such series")
    told = _series(read(bad), read(total))
    if told is None:
        raise ObsError("no sample series could be thought of for its tests, so nothing would prove it")
    return _Counted(
        name=_named(objective.name),
        source=objective,
        bad=bad.replace(_RANGE, WINDOW_HOLE),
        total=total.replace(_RANGE, WINDOW_HOLE),
        good_series=tuple(told[1]),
        bad_series=tuple(told[0]),
    )


def _events(ratio: str) -> tuple[str, str]:
    """Return bad and all events of a ratio ``bad / total`` or ``1 - good / total``."""
    node = read(ratio.replace(WINDOW_HOLE, _RANGE))
    share = node
    inverted = (
        isinstance(node, Operation)
        and node.operator == "-"
        and isinstance(node.left, Number)
        and node.left.value == 1
    )
    if inverted and isinstance(node, Operation):
        share = node.right
    if not isinstance(share, Operation) or share.operator != "/":
        raise ObsError("its error ratio is not one query divided by another, so there are no events to count")
    part, total = (side.text.replace(_RANGE, WINDOW_HOLE) for side in (share.left, share.right))
    return (f"({total}) - ({part})" if inverted else part), total


def _series(bad: Node, total: Node) -> tuple[list[str], list[str]] | None:
    """Return series of bad events and of good ones."""
    everything = _distinct(total)
    if isinstance(bad, Operation) and bad.operator == "-" and _distinct(bad.left) == everything:
        told = samples.tell_apart(everything, _distinct(bad.right))
        return (told[1], told[0]) if told else None
    return samples.tell_apart(everything, _distinct(bad))


def _distinct(node: Node) -> list[Selector]:
    return list({(one.metric, one.matchers): one for one in selectors(node)}.values())


def _check(service: str, one: _Counted) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "spec.yml")
        Path(scratch, "contract.json").write_text(contract.dumps(_merged([one]), service), encoding="utf-8")
        path.write_text(_spec(service, "us", "contract.json", [one], []), encoding="utf-8")
        mistakes = checking.check([path]).mistakes
    if mistakes:
        raise mistakes[0].error


def _merged(kept: Sequence[_Counted]) -> list[Signal]:
    """Return the signals of all objectives, those of one metric with the labels and bounds of all."""
    queries = [read(text.replace(WINDOW_HOLE, _RANGE)) for one in kept for text in (one.bad, one.total)]
    return [*target.SIGNALS, *declared(selector for query in queries for selector in selectors(query))]


def _spec(service: str, team: str, contract_name: str, kept: Sequence[_Counted], lost: Sequence[Lost]) -> str:
    lines = [
        SCHEMA_LINE,
        "# Made by `obs spec import` from a spec of sloth. Queries count only series with the label",
        f"# service={service}, which Prometheus adds where the targets are declared.",
        "version: obs/v1",
        f"service: {{name: {service}, team: {team}}}",
        "# The metrics that the objectives read, as far as their queries tell.",
        f"contract: {json.dumps(contract_name)}",
        "capabilities: []",
    ]
    lines += ["slos:"] if kept else []
    for one in kept:
        lines += [f"  # {line}" for line in _printable(one.source.description)]
        lines += [
            f"  {one.name}:",
            f"    objective: {one.source.objective}",
            "    window: 30d",
            "    sli:",
            "      custom:",
            f"        bad: >-\n          {' '.join(one.bad.split())}",
            f"        total: >-\n          {' '.join(one.total.split())}",
            "        series:",
            f"          good: {json.dumps(list(one.good_series))}",
            f"          bad: {json.dumps(list(one.bad_series))}",
        ]
    if lost:
        lines += [
            "",
            "# Not carried over:",
            *(f"#   {' '.join(_printable(f'{one.what}: {one.reason}'))}" for one in lost),
        ]
    return "\n".join(lines) + "\n"


def _printable(text: str) -> list[str]:
    return [re.sub(r"[^\x20-\x7e]", "?", line) for line in text.splitlines()]
