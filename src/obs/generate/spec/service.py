"""One merged spec -> one `Service`, the overlay of an environment applied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from obs.catalogue import DIALECTS, Dialect, Registry, bundled, contract
from obs.errors import SpecError, suggest
from obs.generate.model import (
    CAPABILITIES,
    SEVERITIES,
    Duration,
    Service,
    Severity,
)
from obs.generate.spec import fields, routing, slos, tunings
from obs.generate.spec.document import Entry, Node, merge

VERSION = "obs/v1"
_KEYS = (
    "version", "extends", "service", "contract", "capabilities", "telemetry", "slos", "alerts", "jobs",
    "environments", "notify", "links", "dialect", "grouping",
)  # fmt: skip
_ENVIRONMENT_KEYS = (
    "select", "severity", "alerts", "jobs", "interval", "telemetry", "links", "grouping", "notify",
)  # fmt: skip
_DEFAULT_INTERVAL = Duration.parse("15s")


def read(root: Node, environment: str | None, links: Mapping[str, str]) -> Service:
    """Build the service of a merged spec; `links` win over every link of the spec."""
    own = fields.mapping(root, "the spec", _KEYS)
    fields.choice(fields.required(own, "version", root, "the spec"), "version", (VERSION,))
    overlay = _overlay(own, environment)
    tree = _Tree(own, overlay)
    identity_node = fields.required(own, "service", root, "the spec")
    identity = fields.mapping(identity_node, "service", ("name", "team", "tier"))
    name_node = fields.required(identity, "name", identity_node, "service")
    name = fields.name(name_node, "service.name")
    team = fields.name(fields.required(identity, "team", identity_node, "service"), "service.team")
    tier = identity.get("tier")
    signals = _signals(own.get("contract"))
    rules = overlay.get("interval")
    scrape = _scrape_interval(tree)
    alerts, jobs = tree.merged("alerts"), tree.merged("jobs")
    dialect = own.get("dialect")
    tier_name = fields.name(tier.node, "service.tier") if tier else "standard"
    notify, routes = routing.read_notify(tree.merged("notify"), tier_name)
    return Service(
        name=name,
        team=team,
        tier=tier_name,
        dialect=cast("Dialect", fields.choice(dialect.node, "dialect", DIALECTS)) if dialect else "otel",
        signals=signals,
        capabilities=_capabilities(own.get("capabilities")),
        select=_select(tree, name),
        scrape_interval=scrape,
        rule_interval=fields.duration(rules.node, "interval") if rules else max(scrape, _DEFAULT_INTERVAL),
        slos=slos.read(own["slos"].node, signals) if "slos" in own else (),
        jobs=tunings.read_jobs(jobs) if jobs else (),
        tunings=tunings.read_tunings(alerts) if alerts else {},
        severities=_severities(overlay.get("severity")),
        notify=notify,
        links=routing.read_links(tree.merged("links"), links),
        place=name_node.place,
        environment=environment,
        grouping=routing.read_grouping(tree.merged("grouping")),
        routing=routes,
    )


class _Tree:
    """The spec with the environment's overlay on top, section by section."""

    def __init__(self, own: Mapping[str, Entry], overlay: Mapping[str, Entry]) -> None:
        self._own = own
        self.overlay = overlay

    def merged(self, key: str) -> Node | None:
        below, above = self._own.get(key), self.overlay.get(key)
        if below and above:
            return merge(below.node, above.node)
        entry = above or below
        return entry.node if entry else None


def _overlay(own: Mapping[str, Entry], environment: str | None) -> Mapping[str, Entry]:
    declared = fields.mapping(own["environments"].node, "environments") if "environments" in own else {}
    overlays = {
        key: fields.mapping(entry.node, f"environments.{key}", _ENVIRONMENT_KEYS)
        for key, entry in declared.items()
        if fields.key_name(key, entry, f"environments.{key}")
    }
    if environment is None:
        return {}
    if environment not in overlays:
        where = own["environments"].key if declared else own["service"].key
        hint = suggest(environment, overlays) or f"declared: {', '.join(sorted(overlays)) or 'none'}"
        raise SpecError(f"environment {environment!r} is not declared", str(where), hint)
    return overlays[environment]


def _signals(entry: Entry | None) -> Registry:
    if entry is None:
        return bundled()
    written = fields.text(entry.node, "contract")
    path = Path(entry.node.place.file).parent / written
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise fields.refuse(
            entry.node, f"contract: cannot read {written!r}", "obs catalogue export --out FILE writes one"
        ) from None
    return contract.loads(text, str(path))


def _capabilities(entry: Entry | None) -> tuple[str, ...]:
    if entry is None:
        return ("http", "process")
    items = fields.texts(entry.node, "capabilities")
    return tuple(sorted({fields.choice(item, "capabilities", CAPABILITIES) for item in items}))


def _telemetry(tree: _Tree) -> Mapping[str, Entry]:
    node = tree.merged("telemetry")
    return fields.mapping(node, "telemetry", ("path", "interval", "select")) if node else {}


def _scrape_interval(tree: _Tree) -> Duration:
    telemetry = _telemetry(tree)
    if "path" in telemetry:
        fields.choice(telemetry["path"].node, "telemetry.path", ("scrape",))
    entry = telemetry.get("interval")
    return fields.duration(entry.node, "telemetry.interval") if entry else _DEFAULT_INTERVAL


def _select(tree: _Tree, name: str) -> dict[str, str]:
    chosen = {"service": name}
    for source in (_telemetry(tree).get("select"), tree.overlay.get("select")):
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


def _severities(entry: Entry | None) -> dict[Severity, Severity]:
    chosen: dict[Severity, Severity] = {severity: severity for severity in SEVERITIES}
    if entry is not None:
        for key, value in fields.mapping(entry.node, "severity", SEVERITIES).items():
            chosen[cast("Severity", key)] = cast(
                "Severity", fields.choice(value.node, f"severity.{key}", SEVERITIES)
            )
    return chosen
