"""`telemetry:` of a spec, and what an environment says about it: how often, and whose series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from obs.generate.model import SEVERITIES, Duration, Severity
from obs.generate.spec import fields
from obs.generate.spec.document import Entry
from obs.generate.spec.shape.identity import PATHS, TELEMETRY
from obs.generate.spec.tree import Tree

DEFAULT_INTERVAL = Duration.parse("15s")
#: Prometheus takes no sample that is an hour older than its newest, and what rules record is as old as this.
MOST_OFFSET = Duration.parse("30m")


def read_intervals(tree: Tree) -> tuple[Duration, Duration]:
    """Return how often the service is scraped, and how often its rules are evaluated."""
    telemetry = _section(tree)
    if "path" in telemetry:
        fields.choice(telemetry["path"].node, "telemetry.path", PATHS)
    entry = telemetry.get("interval")
    scrape = fields.duration(entry.node, "telemetry.interval") if entry else DEFAULT_INTERVAL
    rules = tree.overlay.get("interval")
    return scrape, fields.duration(rules.node, "interval") if rules else max(scrape, DEFAULT_INTERVAL)


def read_query_offset(tree: Tree) -> Duration | None:
    """Return how far in the past the service's rules are evaluated; None: at once."""
    entry = _section(tree).get("query_offset")
    offset = fields.duration(entry.node, "telemetry.query_offset", zero=True) if entry else None
    if entry is None or not offset:
        return None
    if offset.milliseconds % 1000 or offset > MOST_OFFSET:
        raise fields.refuse(
            entry.node, f"telemetry.query_offset: got {offset}, expected whole seconds, at most {MOST_OFFSET}"
        )
    return offset


def read_select(tree: Tree, name: str) -> dict[str, str]:
    """Return the labels that pick the series of service `name`."""
    chosen = {"service": name}
    for source in (_section(tree).get("select"), tree.overlay.get("select")):
        if source is not None:
            for key, entry in fields.mapping(source.node, "select").items():
                label, value = fields.label(entry, key)
                if label == "service" and value != name:
                    # Alerts carry the service's name in this label, so series under another would never meet them.
                    raise fields.refuse(
                        entry.node,
                        f"select.service: got {value!r}, expected the service's own name, {name!r}",
                        "set the label where the targets are declared",
                    )
                chosen[label] = value
    return dict(sorted(chosen.items()))


def read_severities(tree: Tree) -> dict[Severity, Severity]:
    """Return what the environment makes of each severity."""
    chosen: dict[Severity, Severity] = {severity: severity for severity in SEVERITIES}
    entry = tree.overlay.get("severity")
    if entry is not None:
        for key, value in fields.mapping(entry.node, "severity", SEVERITIES).items():
            chosen[cast("Severity", key)] = cast(
                "Severity", fields.choice(value.node, f"severity.{key}", SEVERITIES)
            )
    return chosen


def _section(tree: Tree) -> Mapping[str, Entry]:
    node = tree.merged("telemetry")
    return fields.mapping(node, "telemetry", TELEMETRY.names) if node else {}
