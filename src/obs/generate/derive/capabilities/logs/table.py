"""Which alerts on log lines there are, and the rule file of a service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from obs.generate.derive.capabilities.capability import Guide
from obs.generate.derive.capabilities.logs import counting, guide, silence, slow
from obs.generate.derive.capabilities.logs.drafts import LogDraft, LogKit, finish
from obs.generate.derive.settings import Defaults, settle
from obs.generate.model import RuleFile, RuleGroup, Service

CAPABILITY = "logs"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One alert: its author's proposal, its author, what to do about it, and what it needs beside lines."""

    name: str
    defaults: Defaults
    author: Callable[[LogKit], LogDraft]
    guide: Guide
    #: Capability without which no such lines are written.
    needs: str = CAPABILITY


ALERTS: tuple[LogEntry, ...] = (
    LogEntry("LogErrorSpike", counting.ERRORS, counting.error_spike, guide.error_spike),
    LogEntry("LogPanic", counting.PANIC, counting.panic, guide.panic),
    LogEntry("LogAuthAnomaly", counting.AUTH, counting.auth_anomaly, guide.auth_anomaly),
    LogEntry("LogSilence", silence.SILENCE, silence.silence, guide.silence),
    LogEntry("LogSlowRequests", slow.SLOW, slow.slow_requests, guide.slow_requests, needs="http"),
)
NAMES = tuple(entry.name for entry in ALERTS)


def guides() -> dict[str, Guide]:
    """Return the guide of every alert."""
    return {entry.name: entry.guide for entry in ALERTS}


def lacks(service: Service, alert: str) -> str:
    """Name the capability that `service` would need to have `alert`; empty when it has it."""
    entry = next(entry for entry in ALERTS if entry.name == alert)
    needed = (CAPABILITY, entry.needs)
    return next((f"capability {name!r}" for name in needed if name not in service.capabilities), "")


def rule_file(service: Service) -> RuleFile | None:
    """Return the rules for Loki's ruler, None when there are none.

    Raises `SpecError` for a tuning that cannot work.
    """
    alerts = []
    for entry in ALERTS:
        if lacks(service, entry.name):
            continue
        settings = settle(service, entry.name, entry.defaults)
        if settings is not None:
            kit = LogKit(service, settings)
            alerts.append(finish(entry.author(kit), kit))
    if not alerts:
        return None
    return RuleFile(service.name, (RuleGroup(f"{service.name}-logs", tuple(alerts), service.rule_interval),))
