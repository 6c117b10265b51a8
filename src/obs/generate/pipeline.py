"""Specs -> artefacts in memory; `output` compares them with a directory and writes them.

The specs given are the whole of a directory: a generated file that they no longer produce is removed
there, that of a service which no spec names any more only when told so. Nothing that obs did not generate
is ever removed, and no page that holds a person's words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from obs.errors import ConfigError, SpecError
from obs.generate.derive import notifications, rules
from obs.generate.derive.capabilities.logs import table as logs
from obs.generate.derive.dashboards.fleet import derive_fleet
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.dashboards.slos import derive_objectives
from obs.generate.derive.guidance.book import derive_heartbeat, derive_runbooks
from obs.generate.model import Artefact, RuleFile, Runbook, Service, Skipped
from obs.generate.output.changes import Changes, compare, diff
from obs.generate.output.packed import Produced, Store
from obs.generate.output.writing import approved, write
from obs.generate.render import alertmanager, grafana, kubernetes, loki, prometheus, promtool, runbook
from obs.generate.selection import Selection, strangers
from obs.generate.spec.load import load

__all__ = ["Changes", "Plan", "Report", "approved", "compare", "diff", "plan", "prepare", "write"]

#: Called before each service is derived: its name, its number from 0, and how many there are.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What specs produce; only `selection` of it."""

    #: Ordered by path.
    artefacts: tuple[Produced, ...]
    #: Names of all services of the specs, chosen or not.
    services: tuple[str, ...]
    selection: Selection
    #: Alerts that the metrics of a service cannot express.
    skipped: tuple[Skipped, ...] = ()

    def has_orphan(self, path: PurePosixPath) -> bool:
        """Tell whether a file that nothing produces is within what was asked for."""
        return self.selection.has_orphan(path, self.services)

    def strangers(self, changes: Changes) -> str:
        """Name the services that no spec names and whose files would go, with their number; empty when none."""
        found = strangers(changes.removed, self.services)
        return ", ".join(f"{name} ({count})" for name, count in found.items())

    def approve(self, changes: Changes) -> None:
        """Refuse to remove the files of services that no spec names; raises `ConfigError`.

        Whoever gives half of the specs would lose them, and the routes of their alerts with them.
        """
        names = self.strangers(changes)
        if names:
            raise ConfigError(
                f"nothing was written: files of services that none of these specs names would go: {names}",
                hint="give their specs too, or write only a part (--only), "
                "or say that they are gone for good (--prune)",
            )


def plan(
    specs: Sequence[Path], *, environment: str | None = None, links: Mapping[str, str] | None = None
) -> list[Produced]:
    """Return everything that `specs` (files or directories) produce, ordered by path; touches no file.

    `environment` lays the overlay of that name upon each spec; `links` win over the links of the specs.
    Raises `SpecError` or another `ObsError` for what a person got wrong.
    """
    return list(prepare(specs, environment=environment, links=links).artefacts)


def prepare(
    specs: Sequence[Path],
    *,
    environment: str | None = None,
    links: Mapping[str, str] | None = None,
    only: Sequence[str] = (),
    report: Report | None = None,
) -> Plan:
    """Return what `specs` produce, as `plan` does; of it only what `only` names (`Selection.of`).

    Raises `ConfigError` for a word of `only` that names nothing.
    """
    services = load(specs, environment, links)
    names = tuple(service.name for service in services)
    selection = Selection.of(only, names)
    found: list[Produced] = []
    books: list[runbook.Entry] = []
    skipped: list[Skipped] = []
    store = Store()
    chosen = [service for service in services if selection.has_service(service.name)]
    for number, service in enumerate(chosen):
        if report is not None:
            report(service.name, number, len(chosen))
        artefacts, pages, left_out = _of_one(service, selection)
        found += store.pack(artefacts) if len(chosen) > _MANY else artefacts
        books += (runbook.entry(page) for page in pages)
        skipped += left_out
    if selection.has_shared:
        found += _of_all(services, books, selection)
    ordered = sorted(found, key=_place)
    for first, second in itertools.pairwise(ordered):
        if first.path == second.path:
            raise SpecError(f"two artefacts would be written to {first.path}", str(services[0].place))
    wanted = tuple(artefact for artefact in ordered if selection.has_path(artefact.path))
    return Plan(wanted, names, selection, tuple(skipped))


#: Services whose texts together are worth packing.
_MANY = 20


def _place(artefact: Produced) -> str:
    """Return what orders artefacts as their paths do: a folder before whatever continues its name."""
    return str(artefact.path).replace("/", "\0")


def _of_one(
    service: Service, selection: Selection
) -> tuple[list[Artefact], tuple[Runbook, ...], tuple[Skipped, ...]]:
    """Return the artefacts of one service, its runbooks for the index, and the alerts that it lacks."""
    derived = rules.derive_rules(service)
    lines = logs.rule_file(service)
    alerts = [alert for file in (*derived.files, *([lines] if lines else ())) for alert in file.alerts]
    found = [prometheus.render(file) for file in derived.files]
    if selection.has_kind("tests"):
        found += (test for file in derived.files for test in promtool.render(file))
    found += loki.render(lines) if lines else ()
    pages = derive_runbooks(service, alerts) if selection.has_kind("runbooks") else ()
    found += (runbook.render(page, service.links) for page in pages)
    if selection.has_kind("dashboards") or selection.has_kind("kubernetes"):
        dashboard = grafana.render(derive_dashboard(service, alerts))
        found += [dashboard, *_in_cluster(service, derived.files, dashboard)]
    return found, pages, derived.skipped


def _in_cluster(service: Service, files: Sequence[RuleFile], dashboard: Artefact) -> Iterator[Artefact]:
    """Yield the same as objects of Kubernetes, where the spec asks for them."""
    cluster = service.kubernetes
    if cluster is not None:
        for file in files:
            yield kubernetes.rules(service, cluster, file.stem, prometheus.groups(file))
        yield kubernetes.monitor(service, cluster)
        yield kubernetes.dashboard(service, cluster, dashboard)


def _of_all(
    services: Sequence[Service], books: Sequence[runbook.Entry], selection: Selection
) -> Iterator[Artefact]:
    """Yield the artefacts of no single service."""
    links = services[0].links
    fleet = rules.fleet_file(services)
    yield prometheus.render(fleet)
    yield from promtool.render(fleet)
    if selection.has_kind("runbooks"):
        heartbeat = derive_heartbeat(fleet.alerts, links)
        yield runbook.render(heartbeat, links)
        yield runbook.index([*books, runbook.entry(heartbeat)])
    if selection.has_kind("dashboards"):
        objectives = derive_objectives(services)
        yield grafana.render(derive_fleet(services))
        yield from (grafana.render(objectives),) if objectives is not None else ()
    if selection.has_kind("routes"):
        yield from alertmanager.render(
            services, stronger=notifications.STRONGER, group_labels=notifications.grouped_by(services)
        )
