"""Read dashboards and data sources as Grafana does, and fill in what it would before it sends a query.

Written from Grafana's documentation of its variables; nothing of the generator that wrote the dashboards is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(\w+(?:\.\w+)*)(?::\w+)?\}|\$(\w+)")
#: `$__rate_interval` is the longer of the step and a scrape, and of four scrapes; the data source says 15 s.
_MACROS = {
    "__rate_interval": "1m",
    "__interval": "15s",
    "__auto": "15s",
    "__range": "15m",
    "__range_s": "900",
    "__interval_ms": "15000",
}


@dataclass(frozen=True)
class Query:
    """One query of a panel, filled in: what is asked of which kind of data source."""

    place: str
    kind: str
    text: str
    instant: bool

    @property
    def panel(self) -> str:
        """Dashboard and title of what asks it; the place of an annotation has no more."""
        return "/".join(self.place.split("/")[:2])

    @property
    def title(self) -> str:
        """Title of what asks it."""
        return self.place.split("/")[1]


def fill_in(text: str, variables: Mapping[str, str]) -> str:
    """Replace variables; one that nobody declares is a mistake that Grafana would send as it is."""

    def replace(token: re.Match[str]) -> str:
        name = token[1] or token[2]
        assert name in variables or name in _MACROS, f"{token[0]} of {text!r} is no variable"
        return variables.get(name, _MACROS.get(name, ""))

    return _VARIABLE.sub(replace, text)


def variables(dashboard: Mapping[str, Any]) -> dict[str, str]:
    """Return each variable of a dashboard as it stands when it is opened: all, the default, or nothing."""
    found = {}
    for one in dashboard["templating"]["list"]:
        value = one.get("current", {}).get("value", "")
        everything = value in ("$__all", ["$__all"])
        found[one["name"]] = one.get("allValue", ".*") if everything else str(value or "")
        if one["type"] == "datasource":
            found[one["name"]] = one["query"]
    return found


def queries(file: Path) -> Iterator[Query]:
    """Yield every query of a dashboard: of panels, annotations and variables."""
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    known = variables(dashboard)
    for panel in _panels(dashboard["panels"]):
        for target in panel.get("targets", ()):
            text = target.get("expr", target.get("query", ""))
            kind = fill_in(target["datasource"]["uid"], known)
            place = f"{file.stem}/{panel['title']}/{target['refId']}"
            yield Query(place, kind, fill_in(text, known), bool(target.get("instant")))
    for note in dashboard["annotations"]["list"]:
        if "expr" in note:
            kind = fill_in(note["datasource"]["uid"], known)
            yield Query(
                f"{file.stem}/annotation {note['name']}", kind, fill_in(note["expr"], known), instant=False
            )


def label_queries(file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the place, the selector and the label of every `label_values(selector, label)` of a dashboard."""
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    known = variables(dashboard)
    for one in dashboard["templating"]["list"]:
        if one["type"] == "query":
            asked = re.fullmatch(r"label_values\((?P<selector>.*),\s*(?P<label>\w+)\)", one["query"]["query"])
            assert asked, one["query"]
            yield f"{file.stem}/${one['name']}", fill_in(asked["selector"], known), asked["label"]


def data_sources(file: Path) -> dict[str, dict[str, Any]]:
    """Return the provisioned data sources by uid; `$$` is a dollar sign there."""
    text = file.read_text(encoding="utf-8").replace("$$", "$")
    return {one["uid"]: one for one in yaml.safe_load(text)["datasources"]}


def seconds(interval: str) -> int:
    """Return the seconds of an interval as settings write it; one that begins with a minus leads into the past."""
    return int(interval[:-1]) * {"s": 1, "m": 60, "h": 3600}[interval[-1]]


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))
