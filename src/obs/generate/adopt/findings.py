"""What of obs fits a service: signals of the SDK, roles of foreign metrics, capabilities, jobs, and the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from obs.catalogue import Counter, Dialect, Gauge, Histogram, Signal, contract
from obs.catalogue.everything import CONVENTIONS, PLATFORM
from obs.catalogue.registry import DOMAINS
from obs.catalogue.self import BUILD
from obs.errors import SpecError
from obs.generate.adopt import page as pages
from obs.generate.adopt.page import Page
from obs.generate.adopt.roles import Role, find
from obs.generate.spec.names import JOB_NAME, NAME

#: Domain of the catalogue -> the capability that its signals belong to, where it is called otherwise.
_CAPABILITY = {"rpc": "grpc", "db": "database", "self": "sdk"}
#: Domains that are no capability of their own.
_NO_CAPABILITY = frozenset({"log", "audit", "target", "blackbox"})
#: More jobs than these by name are no schedule that somebody wrote.
_MOST_JOBS = 50


@dataclass(frozen=True, slots=True)
class Findings:
    """What a starter is written from."""

    #: Where it was read.
    source: str
    service: str
    #: Who has made the metrics: the SDK or a contract of its own, or somebody else.
    own: bool
    dialect: Dialect
    capabilities: tuple[str, ...]
    roles: tuple[Role, ...] = ()
    jobs: tuple[str, ...] = ()
    #: Alert -> why its threshold could never be exceeded here.
    mute: tuple[tuple[str, str], ...] = ()
    #: Metric -> why it is not placed.
    left: tuple[tuple[str, str], ...] = ()
    contract: str = ""
    #: The signals that objectives can be written on.
    signals: tuple[Signal, ...] = ()

    def without(self, role: Role, reason: str) -> Findings:
        """Return the same with a role among what is not placed."""
        roles = tuple(one for one in self.roles if one is not role)
        return replace(
            self,
            roles=roles,
            capabilities=_capabilities(one.signal for one in roles),
            signals=tuple(one.signal for one in roles),
            left=tuple(sorted((*self.left, (role.metric, reason)))),
        )


def of_page(text: str, source: str) -> Findings:
    """Return what a page of `/metrics` shows. Raises `SpecError` when it shows nothing."""
    page = pages.read(text, source)
    dialect, own = _own(page)
    name = _name(page)
    if any(signal in own for signal in DOMAINS["self"]):
        return _of_sdk(page, source, name, dialect, own)
    roles = find(page, [signal for domain in DOMAINS.values() for signal in domain if signal.origin == "sdk"])
    taken = {family for role in roles for family in role.families}
    left = [
        (family, "no signal of the catalogue is known by this name")
        for family in page.families
        if family not in taken
    ]
    return Findings(
        source=source,
        service=name,
        own=False,
        dialect="otel",
        capabilities=_capabilities(role.signal for role in roles),
        roles=tuple(roles),
        jobs=_jobs(value for role in roles for value in role.jobs),
        left=tuple(sorted(left)),
        signals=tuple(role.signal for role in roles),
    )


def of_contract(path: Path) -> Findings:
    """Return what a contract declares; raise `SpecError` or `ConfigError` when it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SpecError(f"cannot read the contract: {said}", str(path)) from None
    signals = list(contract.loads(text, str(path)))
    bundled = {signal.id for domain in _everything().values() for signal in domain}
    left = [
        (
            signal.metric,
            f"{signal.id}, a {signal.kind} of your own: fit for slos, custom_alerts and dashboard",
        )
        for signal in signals
        if signal.id not in bundled
    ]
    return Findings(
        source=str(path),
        service=_plain_name(json.loads(text).get("service")),
        own=True,
        dialect="otel",
        capabilities=_capabilities(signals),
        left=tuple(sorted(left)),
        contract=str(path),
        signals=tuple(signals),
    )


def _of_sdk(page: Page, source: str, name: str, dialect: Dialect, own: list[Signal]) -> Findings:
    taken = {signal.named(dialect) for signal in own}
    left = [
        (family, "a metric of your own: `obs catalogue export --module …` makes a contract that declares it")
        for family in page.families
        if family not in taken
    ]
    jobs = next((label for signal in own if signal.id == "job.runs" for label in signal.labels), None)
    series = next((signal.named(dialect) for signal in own if signal.id == "job.runs"), "")
    return Findings(
        source=source,
        service=name,
        own=True,
        dialect=dialect,
        capabilities=_capabilities(own),
        jobs=_jobs(page.values_of(series, jobs.named(dialect))) if jobs else (),
        left=tuple(sorted(left)),
        signals=tuple(own),
    )


def _everything() -> dict[str, tuple[Signal, ...]]:
    return {**DOMAINS, **CONVENTIONS, **PLATFORM}


def _own(page: Page) -> tuple[Dialect, list[Signal]]:
    """Return the dialect that fits best, and the signals that are there as the catalogue has them."""
    dialects: tuple[Dialect, ...] = ("otel", "classic")
    found = [
        (
            dialect,
            [one for domain in _everything().values() for one in domain if _is_there(page, one, dialect)],
        )
        for dialect in dialects
    ]
    return max(found, key=lambda one: len(one[1]))


def _is_there(page: Page, signal: Signal, dialect: Dialect) -> bool:
    name = signal.named(dialect)
    family = page.families.get(name)
    if family is None and isinstance(signal, Counter) and signal.counted_by:
        timed = page.families.get(name.removesuffix("_count"))
        return timed is not None and timed.type == "histogram"
    if family is None:
        return False
    if isinstance(signal, Histogram):
        return family.type == "histogram" and family.buckets in {(), signal.buckets}
    kind = "gauge" if isinstance(signal, Gauge) else "counter"
    return family.type in {kind, "untyped"} and set(family.labels) <= set(signal.label_names(dialect))


def _capabilities(signals: Iterable[Signal]) -> tuple[str, ...]:
    domain_of = {signal.id: domain for domain, inside in _everything().items() for signal in inside}
    domains = {domain_of[signal.id] for signal in signals if signal.id in domain_of}
    return tuple(sorted(_CAPABILITY.get(domain, domain) for domain in domains - _NO_CAPABILITY))


def _jobs(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if JOB_NAME.match(name)}))[:_MOST_JOBS]


def _plain_name(written: object) -> str:
    return written if isinstance(written, str) and NAME.match(written) else ""


def _name(page: Page) -> str:
    """Return the name of the service, where the page tells it in a way that a spec allows."""
    for series, label in (("target_info", "service_name"), (BUILD.metric, "service")):
        for value in page.values_of(series, label):
            if _plain_name(value):
                return value
    return ""
