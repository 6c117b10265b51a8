"""A service -> its rule files."""

from __future__ import annotations

from collections.abc import Sequence

from obs.errors import SpecError, suggest
from obs.generate.derive import grid
from obs.generate.derive.capabilities import registry
from obs.generate.derive.capabilities.capability import Capability, Entry, JobEntry
from obs.generate.derive.capabilities.jobs import alerts as jobs
from obs.generate.derive.drafts import Draft, Kit, finish
from obs.generate.derive.fleet.alerts import watchdog
from obs.generate.derive.settings import Settings, settle
from obs.generate.derive.slo import files as slo
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import FLEET, Alert, Duration, Job, RuleFile, RuleGroup, Service

#: Rules that look further back than this are tested on a grid of their own.
FAST_LOOK_BACK = Duration.parse("6h")


def rule_files(service: Service) -> tuple[RuleFile, ...]:
    """Return every rule file of `service`, those without any rule left out.

    Raises `SpecError` for a tuning of an alert that does not exist and for values that cannot work.
    """
    if service.name == FLEET:
        raise SpecError(
            f"service.name: {FLEET!r} is where alerts of no single service are filed",
            str(service.place),
            "give the service another name",
        )
    _check_names(service)
    files = [_fast(service), *_slow(service), *slo.rule_files(service)]
    return tuple(file for file in files if any(group.rules for group in file.groups))


def fleet_file(services: Sequence[Service]) -> RuleFile:
    """Return the rules of no single service."""
    first = services[0]
    environments = {service.select.get("environment") for service in services}
    environment = environments.pop() if len(environments) == 1 else None
    rules = (watchdog(first.links, environment),)
    return RuleFile(FLEET, (RuleGroup(FLEET, rules, None),))


def _check_names(service: Service) -> None:
    entries = registry.entries()
    known = {*entries, *slo.ALERTS}
    for name, tuning in service.tunings.items():
        if name not in known:
            hint = suggest(name, known) or f"there are: {', '.join(sorted(known))}"
            raise SpecError(f"there is no alert {name!r}", str(tuning.place), hint)
        lack = _lacks(service, name)
        # A file that many services extend may well tune what only some of them have.
        if lack and tuning.place.file == service.place.file:
            raise SpecError(
                f"alerts.{name}: {service.name} has no such alert, because it has no {lack}",
                str(tuning.place),
            )


def _lacks(service: Service, alert: str) -> str:
    """Name what `service` would need to have `alert`; empty when it has it."""
    if alert in slo.ALERTS:
        return "" if service.slos else "slos"
    capability, entry = registry.entries()[alert]
    if isinstance(entry, JobEntry):
        return "" if service.jobs else "jobs"
    return "" if capability in registry.of(service) else f"capability {capability.name!r}"


def _fast(service: Service) -> RuleFile:
    names = Vocabulary.of(service)
    alerts = []
    for capability, entry, settings in _entries(service):
        if not entry.slow:
            kit = Kit(service, names, settings, grid.fast(settings))
            alerts.append(_finish(capability, entry, entry.author(kit), kit))
    alerts += [_job_alert(service, *job) for job in _jobs(service) if not _is_slow(job[2])]
    return _file(service, service.name, alerts)


def _slow(service: Service) -> list[RuleFile]:
    files = []
    names = Vocabulary.of(service)
    for capability, entry, settings in _entries(service):
        if entry.slow:
            kit = Kit(service, names, settings, grid.slow(settings))
            alert = _finish(capability, entry, entry.author(kit), kit)
            files.append(_file(service, f"{service.name}-slow", [alert]))
    for capability, entry, job, settings in _jobs(service):
        if _is_slow(job):
            stem = f"{service.name}-job-{job.name}"
            files.append(_file(service, stem, [_job_alert(service, capability, entry, job, settings)]))
    return files


def _entries(service: Service) -> list[tuple[Capability, Entry, Settings]]:
    """Return each alert of each capability, with its settings."""
    return [
        (capability, entry, settings)
        for capability in registry.of(service)
        for entry in capability.alerts
        if (settings := settle(service, entry.name, entry.defaults)) is not None
    ]


def _jobs(service: Service) -> list[tuple[Capability, JobEntry, Job, Settings]]:
    """Return each alert on each declared job, with its settings."""
    if service.jobs and "jobs" not in service.capabilities:
        raise SpecError(
            f"jobs are declared, but {service.name} lacks the capability 'jobs'",
            str(service.jobs[0].place),
            "add jobs to capabilities",
        )
    return [
        (capability, entry, job, settings)
        for capability in registry.of(service)
        for entry in capability.job_alerts
        if (settings := settle(service, entry.name, entry.defaults)) is not None
        for job in service.jobs
    ]


def _is_slow(job: Job) -> bool:
    return jobs.look_back(job) > FAST_LOOK_BACK


def _job_alert(
    service: Service, capability: Capability, entry: JobEntry, job: Job, settings: Settings
) -> Alert:
    kit = Kit(service, Vocabulary.of(service), settings, grid.of_cycle(job.cycle))
    return _finish(capability, entry, entry.author(kit, job), kit)


def _finish(capability: Capability, entry: Entry | JobEntry, draft: Draft, kit: Kit) -> Alert:
    return finish(draft, kit, category=capability.category, panel=entry.panel)


def _file(service: Service, stem: str, alerts: Sequence[Alert]) -> RuleFile:
    categories = dict.fromkeys(alert.category for alert in alerts)
    groups = (
        RuleGroup(
            f"{stem}-{category}",
            tuple(alert for alert in alerts if alert.category == category),
            service.rule_interval,
        )
        for category in categories
    )
    return RuleFile(stem, tuple(groups))
