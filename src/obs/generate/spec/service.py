"""One merged spec -> one `Service`, the overlay of an environment applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from obs.catalogue import DIALECTS, Dialect
from obs.generate.model import CAPABILITIES, Service
from obs.generate.spec import (
    contracts,
    customs,
    dashboards,
    downtimes,
    fields,
    identity,
    kubernetes,
    mapping,
    routing,
    slos,
    telemetry,
    tunings,
)
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.root import DEFAULT_CAPABILITIES, VERSION
from obs.generate.spec.tree import Tree


def read(root: Node, environment: str | None, links: Mapping[str, str]) -> Service:
    """Build the service of a merged spec; `links` win over every link of the spec."""
    tree = Tree.of(root, environment)
    own = tree.own
    fields.choice(fields.required(own, "version", root, "the spec"), "version", (VERSION,))
    who = identity.read_service(fields.required(own, "service", root, "the spec"))
    known = contracts.read(own.get("contract"))
    mapped_node = own["mapping"].node if "mapping" in own else None
    mapped = mapping.read(mapped_node, known) if mapped_node else {}
    signals = mapping.narrowed(known, mapped, mapped_node, closed=contracts.is_none(own.get("contract")))
    scrape, rules = telemetry.read_intervals(tree)
    objectives_node, alerts, jobs = tree.merged("slos"), tree.merged("alerts"), tree.merged("jobs")
    objectives = slos.read(objectives_node, signals) if objectives_node else ()
    mapping.check_objectives(objectives, mapped)
    downtime, custom = tree.merged("downtime"), tree.merged("custom_alerts")
    dialect = own.get("dialect")
    cluster = tree.merged("kubernetes")
    notify, routes = routing.read_notify(tree.merged("notify"), who.tier)
    return Service(
        name=who.name,
        team=who.team,
        tier=who.tier,
        dialect=cast("Dialect", fields.choice(dialect.node, "dialect", DIALECTS)) if dialect else "otel",
        signals=signals,
        capabilities=_capabilities(own.get("capabilities")),
        select=telemetry.read_select(tree, who.name),
        scrape_interval=scrape,
        query_offset=telemetry.read_query_offset(tree),
        rule_interval=rules,
        slos=objectives,
        jobs=tunings.read_jobs(jobs) if jobs else (),
        tunings=tunings.read_tunings(alerts) if alerts else {},
        severities=telemetry.read_severities(tree),
        notify=notify,
        links=routing.read_links(tree.merged("links"), links),
        place=who.place,
        environment=environment,
        grouping=routing.read_grouping(tree.merged("grouping")),
        routing=routes,
        kubernetes=kubernetes.read(cluster) if cluster else None,
        downtimes=downtimes.read(downtime) if downtime else (),
        custom_alerts=customs.read(custom) if custom else (),
        mapping=mapped,
        owner=identity.read_owners(own["owners"].node if "owners" in own else None),
        rows=dashboards.read(own["dashboard"].node) if "dashboard" in own else (),
    )


def _capabilities(entry: Entry | None) -> tuple[str, ...]:
    if entry is None:
        return DEFAULT_CAPABILITIES
    items = fields.texts(entry.node, "capabilities")
    return tuple(sorted({fields.choice(item, "capabilities", CAPABILITIES) for item in items}))
