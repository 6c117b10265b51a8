"""Specs of sloth (``prometheus/v1``) as they are written: services, objectives, queries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from obs.generate.model import WINDOW_HOLE, Place
from obs.generate.spec import document, fields
from obs.generate.spec.document import Entry, Node

VERSION = "prometheus/v1"
_WINDOW = re.compile(r"\{\{\s*\.window\s*\}\}")
#: Labels of an objective that say whose it is.
_TEAM = ("team", "owner", "squad")
_KEYS = ("version", "service", "labels", "slos", "slo_plugins")
_SLO_KEYS = ("name", "objective", "description", "labels", "sli", "alerting", "plugins")


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective of sloth; queries have our hole in place of its own."""

    name: str
    objective: str
    description: str
    #: (bad, total); None for one of a plugin.
    events: tuple[str, str] | None
    #: The ratio of bad events, where it is not given by events.
    ratio: str
    place: Place
    #: What has no equivalent, by key.
    dropped: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One file of sloth."""

    service: str
    team: str
    objectives: tuple[Objective, ...]
    dropped: tuple[tuple[str, str], ...]


def read(path: Path) -> Source:
    """Read a file of sloth; raise `SpecError` with file, line and column when it is none."""
    root = document.read(path)
    own = fields.mapping(root, "the file", None)
    version = own.get("version")
    if version is None or version.node.value != VERSION:
        node = version.node if version else root
        raise fields.refuse(node, f"version: expected {VERSION!r}, the form of sloth that can be imported")
    fields.mapping(root, "the file", _KEYS)
    slos = fields.required(own, "slos", root, "the file")
    labels = _labels(own.get("labels"), "labels")
    objectives = tuple(
        _objective(item, f"slos.{number}") for number, item in enumerate(fields.texts(slos, "slos"), start=1)
    )
    team = next((labels[name] for name in _TEAM if name in labels), "")
    dropped = [
        (f"labels.{name}", "labels of alerts come from the spec") for name in labels if labels[name] != team
    ]
    if "slo_plugins" in own:
        dropped.append(("slo_plugins", "there are no plugins"))
    return Source(
        fields.text(fields.required(own, "service", root, "the file"), "service"),
        team,
        objectives,
        tuple(dropped),
    )


def _objective(node: Node, what: str) -> Objective:
    own = fields.mapping(node, what, _SLO_KEYS)
    sli_node = fields.required(own, "sli", node, what)
    sli = fields.mapping(sli_node, f"{what}.sli", ("events", "raw", "plugin"))
    events, ratio = None, ""
    if "events" in sli:
        given = fields.mapping(sli["events"].node, f"{what}.sli.events", ("error_query", "total_query"))
        bad, total = (
            _query(
                fields.required(given, key, sli["events"].node, f"{what}.sli.events"),
                f"{what}.sli.events.{key}",
            )
            for key in ("error_query", "total_query")
        )
        events = (bad, total)
    elif "raw" in sli:
        given = fields.mapping(sli["raw"].node, f"{what}.sli.raw", ("error_ratio_query",))
        key = "error_ratio_query"
        ratio = _query(
            fields.required(given, key, sli["raw"].node, f"{what}.sli.raw"), f"{what}.sli.raw.{key}"
        )
    elif "plugin" not in sli:
        raise fields.refuse(sli_node, f"{what}.sli needs one of 'events', 'raw' and 'plugin'")
    return Objective(
        name=fields.text(fields.required(own, "name", node, what), f"{what}.name"),
        objective=str(
            fields.number(fields.required(own, "objective", node, what), f"{what}.objective", "percent")
        ),
        description=fields.lines(own["description"].node, f"{what}.description")
        if "description" in own
        else "",
        events=events,
        ratio=ratio,
        place=node.place,
        dropped=tuple(_dropped(own, what)),
    )


def _dropped(own: Mapping[str, Entry], what: str) -> list[tuple[str, str]]:
    found = (
        [("labels", "labels of alerts come from the spec")]
        if _labels(own.get("labels"), f"{what}.labels")
        else []
    )
    if "plugins" in own:
        found.append(("plugins", "there are no plugins"))
    if "alerting" not in own:
        return found
    alerting = fields.mapping(own["alerting"].node, f"{what}.alerting")
    for key in alerting:
        if key in {"page_alert", "ticket_alert"}:
            inner = fields.mapping(alerting[key].node, f"{what}.alerting.{key}")
            if "disable" in inner and inner["disable"].node.value == "true":
                found.append((f"alerting.{key}.disable", "switch it off under alerts:, with the reason"))
            found += [
                (
                    f"alerting.{key}.{name}",
                    "receivers are chosen by severity under notify:, texts are generated",
                )
                for name in inner
                if name != "disable"
            ]
        elif key in {"labels", "annotations"}:
            found.append((f"alerting.{key}", "labels and annotations are generated"))
        elif key == "name":
            found.append(("alerting.name", "burn alerts are called as in every other service"))
        else:
            found.append((f"alerting.{key}", "unknown here"))
    return found


def _labels(entry: Entry | None, what: str) -> dict[str, str]:
    if entry is None:
        return {}
    return {
        key: fields.text(one.node, f"{what}.{key}") for key, one in fields.mapping(entry.node, what).items()
    }


def _query(node: Node, what: str) -> str:
    text = " ".join(fields.lines(node, what).split())
    if not _WINDOW.search(text):
        raise fields.refuse(node, f"{what}: there is no {{{{.window}}}} in it, the range that sloth fills in")
    return _WINDOW.sub(WINDOW_HOLE, text)
