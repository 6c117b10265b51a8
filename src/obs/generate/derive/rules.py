"""A service -> its rule files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from obs.errors import SpecError, UnknownSignal, suggest
from obs.generate.derive import custom, grid
from obs.generate.derive.capabilities import registry
from obs.generate.derive.capabilities.capability import Capability, Entry, JobEntry
from obs.generate.derive.capabilities.logs import table as logs
from obs.generate.derive.drafts import Draft, Kit, finish
from obs.generate.derive.fleet.alerts import watchdog
from obs.generate.derive.gaps import CannotDerive
from obs.generate.derive.lacking import without_lacking
from obs.generate.derive.settings import Settings, settle
from obs.generate.derive.slo import files as slo
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import FLEET, Alert, Job, RuleFile, RuleGroup, Service, Skipped


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one service, and the alerts that it cannot have."""

    files: tuple[RuleFile, ...]
    skipped: tuple[Skipped, ...]


def derive_rules(service: Service) -> Rules:
    """Return every rule file of `service`, those without any rule left out, and what was skipped.

    Raises `SpecError` for a tuning of an alert that does not exist and for values that cannot work.
    """
    if service.name == FLEET:
        raise SpecError(
            f"service.name: {FLEET!r} is where alerts of no single service are filed",
            str(service.place),
            "give the service another name",
        )
    _check_names(service)
    built_in, skipped = _built_in(service)
    files = [_file(service, stem, alerts) for stem, alerts in built_in.items()]
    files += slo.rule_files(service)
    files += custom.rule_files(service, alert_names())
    return Rules(tuple(file for file in files if any(group.rules for group in file.groups)), skipped)


def alert_names() -> set[str]:
    """Return the name of every alert that obs can make of a spec, its own alerts apart."""
    return {*registry.entries(), *logs.NAMES, *slo.ALERTS}


def rule_files(service: Service) -> tuple[RuleFile, ...]:
    """Return the rule files of `derive_rules`."""
    return derive_rules(service).files


def fleet_file(services: Sequence[Service]) -> RuleFile:
    """Return the rules of no single service."""
    first = services[0]
    environments = {service.select.get("environment") for service in services}
    environment = environments.pop() if len(environments) == 1 else None
    rules = (watchdog(first.links, environment),)
    return RuleFile(FLEET, (RuleGroup(FLEET, rules, None),))


def _check_names(service: Service) -> None:
    known = alert_names()
    for name, tuning in service.tunings.items():
        if any(alert.name == name for alert in service.custom_alerts):
            raise SpecError(
                f"alerts.{name}: {name} is an alert of the spec's own",
                str(tuning.place),
                f"change it where it stands: custom_alerts.{name}",
            )
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
    if alert in logs.NAMES:
        return logs.lacks(service, alert)
    capability, entry = registry.entries()[alert]
    if isinstance(entry, JobEntry):
        return "" if service.jobs else "jobs"
    return "" if capability in registry.of(service) else f"capability {capability.name!r}"


def _built_in(service: Service) -> tuple[dict[str, list[Alert]], tuple[Skipped, ...]]:
    """Return the alerts of each file, and what was skipped."""
    names = Vocabulary.of(service)
    files: dict[str, list[Alert]] = {}
    left_out: dict[str, Skipped] = {}

    def add(into: list[Alert], name: str, alert: Callable[[], Alert]) -> None:
        try:
            into.append(alert())
        except (CannotDerive, UnknownSignal) as reason:
            left_out[name] = Skipped(service.name, name, reason.message, service.place)

    for capability, entry, settings in _entries(service):
        kit = Kit(service, names, settings, *(grid.slow(settings) if entry.slow else grid.fast(settings)))
        into = files.setdefault(_stem(service, capability, entry), [])
        add(into, entry.name, partial(_authored, capability, entry, kit))
    for owner, watch, job, settings in _jobs(service):
        # Its stories are as long as its cycle, and each step of them evaluates every rule of the file.
        into = files.setdefault(f"{service.name}-job-{job.name}", [])
        add(into, watch.name, partial(_job_alert, service, owner, watch, job, settings))
    return files, tuple(left_out.values())


def _stem(service: Service, capability: Capability, entry: Entry) -> str:
    """Name the file of an alert: every test of a file evaluates all its rules as long as its longest story."""
    if entry.slow:
        return f"{service.name}-slow-{capability.name}"
    return f"{service.name}-urgent" if entry.urgent else service.name


def _authored(capability: Capability, entry: Entry, kit: Kit) -> Alert:
    return _finish(capability, entry, entry.author(kit), kit)


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


def _job_alert(
    service: Service, capability: Capability, entry: JobEntry, job: Job, settings: Settings
) -> Alert:
    step = grid.of_cycle(job.cycle, settings.for_)
    kit = Kit(service, Vocabulary.of(service), settings, step, step)
    return _finish(capability, entry, entry.author(kit, job), kit)


def _finish(capability: Capability, entry: Entry | JobEntry, draft: Draft, kit: Kit) -> Alert:
    return finish(without_lacking(draft), kit, category=capability.category, panel=entry.panel)


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
    # What is judged by its age or over days gains nothing from series that are complete.
    of_job = any(alert.job for alert in alerts)
    return RuleFile(stem, tuple(groups)).after(None if of_job else service.query_offset)
