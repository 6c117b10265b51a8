"""The services whose rules are judged, and which of them a file of `derive` can change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType

from obs.generate.derive.capabilities import registry
from obs.generate.model import Alert, RecordingRule, RuleFile, RuleGroup, Service
from obs.generate.render import prometheus
from obs.generate.spec.load import load

_HERE = Path(__file__).parent
_GOLDEN = _HERE.parent / "golden"
#: Of these only the SLOs are judged: their other alerts are those of `complete`.
_FOR_SLOS = frozenset({"dated", "mutated", "slo", "slo_native"})
#: Name -> spec. Between them they have every capability, both dialects, a mapping, every kind of SLI,
#: groups, jobs, planned downtime and alerts of their own.
SPECS = {
    "complete": _GOLDEN / "complete",
    "platform": _GOLDEN / "platform",
    "engines": _HERE / "specs" / "engines.yml",
    "mapped": _GOLDEN / "mapped",
    "apart": _HERE / "specs" / "apart.yml",
    "classic": _GOLDEN / "classic",
    "dated": _HERE / "specs" / "dated.yml",
    "mutated": _GOLDEN / "mutated",
    "slo": _GOLDEN / "slo",
    "slo_native": _GOLDEN / "slo_native",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the corpus a mutant can change: all of it, what one capability brings, or what SLOs bring."""

    capability: str = ""
    slos: bool = False

    @classmethod
    def of(cls, path: str) -> Scope:
        """Return the scope of a file of `derive`."""
        parts = PurePosixPath(path).parts
        if parts[0] == "capabilities" and len(parts) > 2:
            return cls(capability=parts[1])
        return cls(slos=parts[0] == "slo")


@cache
def services(scope: Scope) -> tuple[tuple[str, Service], ...]:
    """Return the services of the corpus, with no more in them than the scope asks for."""
    found = []
    for name, spec in SPECS.items():
        for service in load([spec]):
            if scope.capability and name in _FOR_SLOS:
                continue
            cut = _cut(service, scope)
            if cut is not None:
                found.append((name, cut))
    return tuple(found)


#: Capability -> others whose presence changes what its alerts say.
_BESIDE = {"database": ("cache",)}


def _cut(service: Service, scope: Scope) -> Service | None:
    if scope.slos:
        return service if service.slos else None
    if not scope.capability:
        return service
    always = scope.capability == "targets"
    if not always and scope.capability not in service.capabilities:
        return None
    kept = (scope.capability, *_BESIDE.get(scope.capability, ()))
    entries = registry.entries()
    return replace(
        service,
        capabilities=() if always else tuple(one for one in service.capabilities if one in kept),
        jobs=service.jobs if scope.capability == "jobs" else (),
        slos=(),
        custom_alerts=(),
        # A tuning of an alert that is not there would be refused.
        tunings={
            name: tuning
            for name, tuning in service.tunings.items()
            if name in entries and entries[name][0].name in kept
        },
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert with the file that is judged with it: without the file's other alerts."""

    spec: str
    stem: str
    alert: Alert
    file: RuleFile

    @property
    def key(self) -> str:
        """Names it among all rules of the corpus."""
        apart = self.alert.job or self.alert.slo or ""
        # In which file it stands means nothing to anybody.
        return f"{self.spec}/{self.alert.service}/{self.alert.name}/{apart}"

    @property
    def shape(self) -> tuple[object, ...]:
        """What an engine does with the file, whatever its groups are called."""
        return tuple(
            (group.interval, group.limit, *(_shape(rule) for rule in group.rules))
            for group in self.file.groups
        )

    @property
    def shape_of_alert(self) -> tuple[object, ...]:
        """What an engine does with the alert alone."""
        return _shape(self.alert)

    @property
    def text(self) -> str:
        """The rule file, without texts for people and links."""
        return prometheus.render(self.file).text


def _shape(rule: Alert | RecordingRule) -> tuple[object, ...]:
    if isinstance(rule, Alert):
        return rule.name, rule.expr, rule.for_, rule.keep_firing_for, dict(rule.labels)
    return rule.record, rule.expr, dict(rule.labels)


def rules(derived: ModuleType, scope: Scope) -> dict[str, Rule]:
    """Return every alert that `derived` makes of the corpus; raises what a mutant raises."""
    found: dict[str, Rule] = {}
    for spec, service in services(scope):
        for file in derived.rule_files(service):
            if (scope.slos or spec in _FOR_SLOS) and "-slo-" not in file.stem:
                continue
            for alert in file.alerts:
                rule = Rule(spec, file.stem, alert, _alone(file, alert))
                found[rule.key] = rule
    if not scope.capability and not scope.slos:
        heartbeat = derived.fleet_file([service for _, service in services(scope)])
        found |= {
            rule.key: rule
            for alert in heartbeat.alerts
            for rule in (Rule("fleet", heartbeat.stem, alert, _alone(heartbeat, alert)),)
        }
    return found


def _alone(file: RuleFile, alert: Alert) -> RuleFile:
    """Return the file with its recordings and without any other alert; nothing for people in it."""
    groups = tuple(
        replace(
            group,
            rules=tuple(
                replace(rule, annotations={}) if isinstance(rule, Alert) else rule
                for rule in group.rules
                if rule is alert or not isinstance(rule, Alert)
            ),
        )
        for group in file.groups
    )
    return RuleFile(
        file.stem, tuple(RuleGroup(g.name, g.rules, g.interval, g.limit) for g in groups if g.rules)
    )
