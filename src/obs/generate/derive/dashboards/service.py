"""The dashboard of a service: objectives, golden signals, a row for each capability, logs, traces."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from obs.catalogue.target import UP
from obs.generate.derive import custom_panels
from obs.generate.derive.capabilities import registry
from obs.generate.derive.dashboards import choices, evidence
from obs.generate.derive.dashboards.objectives import objectives
from obs.generate.derive.dashboards.proof import proven
from obs.generate.derive.gaps import CannotDerive
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.guidance.versions import new_versions, version_label
from obs.generate.derive.slo.series import recorded
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Alert, Annotation, Dashboard, Row, Service, Variable

#: Tags of the dashboards of services, beside the service's own name and its team's.
TAGS = ("obs", "service")


def derive_dashboard(service: Service, alerts: Sequence[Alert]) -> Dashboard:
    """Return the dashboard of `service`; lines on its panels are the thresholds of `alerts`.

    Every query is proven against the contract; raises `UnknownSignal` where one names what nothing
    declares.
    """
    # The variables choose environment and instance, so the spec's choice of these steps aside.
    select = {
        name: value for name, value in service.select.items() if name not in {"environment", "instance"}
    }
    names = replace(Vocabulary.of(service, recorded(service)), select=select)
    ask = Queries(service, names, (choices.ENVIRONMENT, choices.INSTANCE))
    up = ask.checked(names.selector(names.metric(UP.id)))
    ways = evidence.ways(service)
    rows = (proven(row, alerts, ask, ways) for row in _rows(service, alerts, ask))
    return Dashboard(
        name=service.name,
        folder=service.team,
        title=f"{service.name} · service",
        description=f"Objectives, golden signals and capabilities of {service.name}, owned by team {service.team}.",
        rows=tuple(row for row in rows if row.panels),
        interval=service.scrape_interval,
        variables=tuple(_choices(service, up)),
        annotations=tuple(_marks(ask)),
        tags=(*TAGS, service.name, service.team),
        links=(("Runbooks", f"{service.links.runbooks}/{service.name}"),),
    )


def _rows(service: Service, alerts: Sequence[Alert], ask: Queries) -> Iterator[Row]:
    golden = _golden(service, alerts, ask)
    yield objectives(service, replace(ask, matchers=(choices.ENVIRONMENT,)))
    yield golden
    for capability in registry.of(service):
        if capability.row is not None:
            yield _without(capability.row(ask), golden)
    yield from custom_panels.rows(ask)
    if evidence.has_logs(service):
        yield evidence.logs(service)
    if evidence.has_traces(service):
        yield evidence.traces(service, alerts)


def _golden(service: Service, alerts: Sequence[Alert], ask: Queries) -> Row:
    """Traffic, errors and latency of what the service mainly does, and how full it is."""
    capabilities = registry.of(service)
    work = next((one.golden(ask, alerts) for one in capabilities if one.golden is not None), ())
    full = (panel for one in capabilities if one.saturation is not None for panel in one.saturation(ask))
    return Row("Golden signals", (*work, *full))


def _without(row: Row, golden: Row) -> Row:
    """Leave out of a row what stands among the golden signals already."""
    shown = {panel.key for panel in golden.panels}
    return Row(row.title, tuple(panel for panel in row.panels if panel.key not in shown))


def _choices(service: Service, up: str) -> Iterator[Variable]:
    yield choices.PROMETHEUS
    if evidence.has_logs(service):
        yield choices.LOKI
    # An error line leads to its trace, too.
    if evidence.has_logs(service) or evidence.has_traces(service):
        yield choices.TEMPO
    yield choices.environment(up)
    yield choices.instance(up)
    if evidence.has_logs(service):
        yield choices.SEARCH


def _marks(ask: Queries) -> Iterator[Annotation]:
    yield choices.firing(ask, choices.ENVIRONMENT)
    with contextlib.suppress(CannotDerive):
        appeared = new_versions(ask, "environment")
        if appeared is not None:
            yield choices.deployments(ask.checked(appeared), f"Version {{{{{version_label(ask)}}}}}")
