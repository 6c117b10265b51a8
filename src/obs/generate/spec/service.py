"""One merged spec -> one `Service`, the overlay of an environment applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from obs.catalogue import DIALECTS, Dialect, Registry, bundled, contract
from obs.errors import SpecError, suggest
from obs.generate.model import (
    CAPABILITIES,
    RECEIVER_KINDS,
    SEVERITIES,
    Duration,
    Grouping,
    Links,
    Place,
    Service,
    Severity,
)
from obs.generate.spec import fields, slos, tunings
from obs.generate.spec.document import Entry, Node, merge

VERSION = "obs/v1"
_KEYS = (
    "version", "extends", "service", "contract", "capabilities", "telemetry", "slos", "alerts", "jobs",
    "environments", "notify", "links", "dialect", "grouping",
)  # fmt: skip
_ENVIRONMENT_KEYS = ("select", "severity", "alerts", "jobs", "interval", "telemetry", "links", "grouping")
_LINKS = ("runbooks", "grafana", "prometheus", "alertmanager", "webhook")
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
    return Service(
        name=name,
        team=team,
        tier=fields.name(tier.node, "service.tier") if tier else "standard",
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
        notify=_notify(own.get("notify")),
        links=_links(tree.merged("links"), links),
        place=name_node.place,
        environment=environment,
        grouping=_grouping(tree.merged("grouping")),
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


def _notify(entry: Entry | None) -> dict[Severity, str]:
    if entry is None:
        return {}
    own = fields.mapping(entry.node, "notify", SEVERITIES)
    return {
        cast("Severity", key): _receiver(value.node, f"notify.{key}") for key, value in sorted(own.items())
    }


def _receiver(node: Node, what: str) -> str:
    name = fields.name(node, what)
    kind, _, rest = name.partition("-")
    if kind not in RECEIVER_KINDS or not rest:
        expected = ", ".join(f"{known}-…" for known in RECEIVER_KINDS)
        message = (
            f"{what}: receiver {name!r} is of no known kind; expected a name that begins with it: {expected}"
        )
        raise fields.refuse(node, message, suggest(kind, RECEIVER_KINDS))
    return name


def _grouping(node: Node | None) -> Grouping:
    if node is None:
        return Grouping()
    own = fields.mapping(node, "grouping", ("wait", "interval", "repeat"))
    return replace(
        Grouping(),
        **{
            key: fields.duration(entry.node, f"grouping.{key}", zero=key == "wait")
            for key, entry in own.items()
        },
    )


def _links(node: Node | None, wins: Mapping[str, str]) -> Links:
    chosen = {}
    if node is not None:
        own = fields.mapping(node, "links", _LINKS)
        chosen = {key: fields.url(entry.node, f"links.{key}") for key, entry in own.items()}
    for key, value in wins.items():
        place = Place("--link", 1, 1)
        fields.mapping(Node(place, {key: Entry(place, Node(place, value))}), "links", _LINKS)
        chosen[key] = fields.url(Node(place, value), f"links.{key}")
    return replace(Links(), **chosen)
