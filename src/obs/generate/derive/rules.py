"""A service -> its rule files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from obs.errors import SpecError, suggest
from obs.generate.derive import grid
from obs.generate.derive.alerts import jobs, table
from obs.generate.derive.alerts.fleet import watchdog
from obs.generate.derive.drafts import Draft, Kit, finish
from obs.generate.derive.settings import Settings, settle
from obs.generate.derive.slo import files as slo
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import FLEET, Alert, Job, RuleFile, RuleGroup, Service


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
    known = {entry.name for entry in table.SERVICE_ALERTS}
    known |= {name for name, _, _ in table.JOB_ALERTS} | set(slo.ALERTS)
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
    if alert in {name for name, _, _ in table.JOB_ALERTS}:
        return "" if service.jobs else "jobs"
    needed = next(entry.capability for entry in table.SERVICE_ALERTS if entry.name == alert)
    return f"capability {needed!r}" if needed and needed not in service.capabilities else ""


def _fast(service: Service) -> RuleFile:
    chosen = [
        (entry, settings)
        for entry in table.SERVICE_ALERTS
        if not entry.slow and (settings := _settings(service, entry)) is not None
    ]
    names = Vocabulary.of(service)
    alerts = []
    for entry, settings in chosen:
        kit = Kit(service, names, settings, grid.fast(settings))
        alerts.append(finish(entry.author(kit), kit))
    quick = [job for job in _jobs(service) if jobs.look_back(job[1]) <= table.FAST_LOOK_BACK]
    alerts += [_job_alert(service, *job) for job in quick]
    return _file(service, service.name, alerts)


def _slow(service: Service) -> list[RuleFile]:
    files = []
    names = Vocabulary.of(service)
    for entry in table.SERVICE_ALERTS:
        if entry.slow and (settings := _settings(service, entry)) is not None:
            kit = Kit(service, names, settings, grid.slow(settings))
            files.append(_file(service, f"{service.name}-slow", [finish(entry.author(kit), kit)]))
    for author, job, settings in _jobs(service):
        if jobs.look_back(job) > table.FAST_LOOK_BACK:
            stem = f"{service.name}-job-{job.name}"
            files.append(_file(service, stem, [_job_alert(service, author, job, settings)]))
    return files


def _settings(service: Service, entry: table.Entry) -> Settings | None:
    if entry.capability and entry.capability not in service.capabilities:
        return None
    return settle(service, entry.name, entry.defaults)


_Author = Callable[[Kit, Job], Draft]


def _jobs(service: Service) -> list[tuple[_Author, Job, Settings]]:
    """Return each alert on each declared job, with its settings."""
    if service.jobs and "jobs" not in service.capabilities:
        raise SpecError(
            f"jobs are declared, but {service.name} lacks the capability 'jobs'",
            str(service.jobs[0].place),
            "add jobs to capabilities",
        )
    found = []
    for name, defaults, author in table.JOB_ALERTS:
        settings = settle(service, name, defaults)
        if settings is not None:
            found += [(author, job, settings) for job in service.jobs]
    return found


def _job_alert(service: Service, author: _Author, job: Job, settings: Settings) -> Alert:
    kit = Kit(service, Vocabulary.of(service), settings, grid.of_cycle(job.cycle))
    return finish(author(kit, job), kit)


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
