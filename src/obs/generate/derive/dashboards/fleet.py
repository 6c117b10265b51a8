"""The overview of all services: which are up, what they do, what fires, which version runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from obs.catalogue.target import UP
from obs.errors import SpecError
from obs.generate.derive.dashboards import choices
from obs.generate.derive.dashboards.addresses import series_links, service_column
from obs.generate.derive.dashboards.fleet_queries import Fleet
from obs.generate.derive.dashboards.objectives import BUDGET_SCALE
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.guidance.versions import new_versions, versions
from obs.generate.derive.promql import printed
from obs.generate.derive.slo.series import BUDGET_LEFT
from obs.generate.derive.vocabulary import BY
from obs.generate.model import (
    FLEET,
    Annotation,
    Column,
    Dashboard,
    Panel,
    PanelThreshold,
    Query,
    Row,
    Service,
)

_ANY = (PanelThreshold(Decimal(1), "red"),)
_SOME = (PanelThreshold(Decimal(1), "yellow"),)
_UP = (
    PanelThreshold(Decimal(0), "red"),
    PanelThreshold(Decimal("0.5"), "yellow"),
    PanelThreshold(Decimal(1), "green"),
)
_HIDDEN = Column("Time", "Time", hidden=True)
_ENVIRONMENT = Column("environment", "environment")


def derive_fleet(services: Sequence[Service]) -> Dashboard:
    """Return the overview of `services`. Raises `SpecError` when one has the overview's own name."""
    known = tuple(service.name for service in services)
    _check(services)
    fleet = Fleet.of(services)
    _, first = fleet.asks[0]
    up = f'up{{service=~"{"|".join(known)}"}}'
    rows = (
        _now(fleet),
        _services(fleet, services),
        _trends(fleet, services),
        _alerts(fleet, services),
        _versions(fleet),
    )
    return Dashboard(
        name=FLEET,
        folder=FLEET,
        title="All services",
        description="Which services are up, what they do, which alerts fire and which versions run.",
        rows=tuple(row for row in (_answered(row) for row in rows) if row.panels),
        interval=max(service.scrape_interval for service in services),
        variables=(choices.PROMETHEUS, choices.environment(up), choices.service(up, "service", known)),
        annotations=tuple(_marks(fleet, replace(first, names=replace(first.names, select={})))),
        tags=("obs", "overview"),
    )


def _marks(fleet: Fleet, ask: Queries) -> Iterator[Annotation]:
    yield choices.firing(ask, *ask.matchers)
    appeared = fleet.query(lambda _, ask: new_versions(ask, BY))
    if appeared:
        yield choices.deployments(appeared, f"{{{{service}}}} {{{{{fleet.version}}}}}")


def _check(services: Sequence[Service]) -> None:
    for service in services:
        if service.name in {FLEET, f"{FLEET}-slos"}:
            raise SpecError(
                f"service.name: {service.name!r} is the name of an overview",
                str(service.place),
                "give the service another name",
            )


def _up(function: str) -> Callable[[Service, Queries], str]:
    return lambda _, ask: f"{function} by ({BY}) ({ask.series(UP)})"


def _now(fleet: Fleet) -> Row:
    up = fleet.query(_up("max"))
    return Row(
        "Now",
        (
            _number("fleet-up", "Services up", "Services of which at least one instance is scraped.",
                    f"count(({up}) == 1) or vector(0)", ()),
            _number("fleet-down", "Services down", "Services of which no instance can be scraped.",
                    f"count(({up}) == 0) or vector(0)", _ANY),
            _number("fleet-pages", "Pages", "Firing alerts that wake somebody.",
                    f"count({fleet.alerts(_SEVERITY.format('page'))}) or vector(0)", _ANY),
            _number("fleet-tickets", "Tickets", "Firing alerts for working hours.",
                    f"count({fleet.alerts(_SEVERITY.format('ticket'))}) or vector(0)", _SOME),
        ),
    )  # fmt: skip


_SEVERITY = 'severity="{}"'


def _services(fleet: Fleet, services: Sequence[Service]) -> Row:
    """One line a service, each value a query of its own."""
    objectives = fleet.query(
        lambda service, ask: f"min by ({BY}) ({_recorded(ask)})" if service.slos else None
    )
    found = [
        ("Up", "percentunit", _UP, fleet.query(_up("avg"))),
        ("Traffic", "reqps", (), fleet.headline(lambda line: line.traffic)),
        ("Errors", "percentunit", (), fleet.headline(lambda line: line.errors)),
        ("p95", "s", (), fleet.headline(lambda line: line.latency)),
        ("Firing alerts", "short", _ANY, f"count by ({BY}) ({fleet.alerts()})"),
        ("Least budget", "percentunit", BUDGET_SCALE, objectives),
    ]
    asked = [line for line in found if line[3]]
    values = tuple(
        Column(f"Value #{chr(65 + place)}", title, unit, scale)
        for place, (title, unit, scale, _) in enumerate(asked)
    )
    table = Panel(
        key="fleet-services",
        title="Services",
        description="Share of instances up, work a second, its failures and duration, firing alerts, least error budget.",
        unit="short",
        kind="table",
        queries=tuple(Query(expr, title, instant=True) for title, _, _, expr in asked),
        columns=(_HIDDEN, service_column("service", services, same_time=True), _ENVIRONMENT, *values),
        sort="-Firing alerts",
        width=24,
    )
    return Row("Services", (table,))


def _recorded(ask: Queries) -> str:
    return replace(ask.names, select={}).selector(BUDGET_LEFT, *ask.matchers)


def _trends(fleet: Fleet, services: Sequence[Service]) -> Row:
    links = series_links("service", services)

    def graph(key: str, title: str, told: str, unit: str, expr: str) -> Panel:
        queries = (Query(expr, "{{service}} {{environment}}"),) if expr else ()
        return Panel(key, title, told, unit, "timeseries", queries, data_links=links)

    return Row(
        "Traffic, errors, latency",
        (
            graph("fleet-traffic", "Traffic", "Requests or runs a second of each service.", "reqps",
                  fleet.headline(lambda line: line.traffic)),
            graph("fleet-errors", "Error ratio", "Share of each service's requests or runs that failed.", "percentunit",
                  fleet.headline(lambda line: line.errors)),
            graph("fleet-latency", "p95", "What one request or run in twenty of each service exceeds.", "s",
                  fleet.headline(lambda line: line.latency)),
        ),
    )  # fmt: skip


def _alerts(fleet: Fleet, services: Sequence[Service]) -> Row:
    firing = fleet.alerts()
    bases = {service.links.runbooks for service in services}
    page = "/${__data.fields.service}/${__data.fields.alertname}"
    # Which base belongs to a line is known only when all services share it.
    runbook = (("Runbook", f"{bases.pop()}{page}"),) if len(bases) == 1 else ()
    labels = ("alertname", "severity", "service", "environment", "team")
    return Row(
        "Alerts",
        (
            Panel(
                key="fleet-firing",
                title="Firing alerts",
                description="Alerts that fire now, and how many of each.",
                unit="short",
                kind="table",
                queries=(Query(f"count by ({', '.join(labels)}) ({firing})", "", instant=True),),
                columns=(
                    _HIDDEN,
                    Column("alertname", "alertname", links=runbook),
                    Column("severity", "severity"),
                    service_column("service", services, same_time=True),
                    _ENVIRONMENT,
                    Column("team", "team"),
                    Column("Value", "Count"),
                ),
                sort="severity",
                width=12,
            ),
            Panel(
                key="fleet-alerts",
                title="Alerts over time",
                description="How many alerts of each service fire.",
                unit="short",
                kind="timeseries",
                queries=(Query(f"count by ({BY}) ({firing})", "{{service}} {{environment}}"),),
                data_links=series_links("service", services),
                width=12,
            ),
        ),
    )


def _versions(fleet: Fleet) -> Row:
    def write(_: Service, ask: Queries) -> str | None:
        return versions(ask, BY)

    expr = fleet.query(write)
    return Row(
        "Versions",
        (
            Panel(
                key="fleet-versions",
                title="Versions",
                description="How many instances of each service run which version; two versions mean a deployment goes on.",
                unit="short",
                kind="table",
                queries=(Query(expr, "", instant=True),) if expr else (),
                columns=(
                    _HIDDEN,
                    Column("service", "service"),
                    _ENVIRONMENT,
                    Column(fleet.version, "version"),
                    Column("Value", "Instances"),
                ),
                sort="service",
                width=24,
            ),
        ),
    )


def _number(key: str, title: str, told: str, expr: str, scale: Iterable[PanelThreshold]) -> Panel:
    return Panel(
        key,
        title,
        told,
        "short",
        "stat",
        (Query(expr, title, instant=True),),
        tuple(scale),
        width=6,
        height=4,
    )


def _answered(row: Row) -> Row:
    """Leave out what no service can answer; print the rest in one layout."""
    return Row(
        row.title,
        tuple(
            replace(panel, queries=tuple(replace(query, expr=printed(query.expr)) for query in panel.queries))
            for panel in row.panels
            if panel.queries
        ),
    )
