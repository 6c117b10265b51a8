"""Health: the checks that the host declares and the three answers made of them.

Each answer can be had from a thread (`report`, `readiness`) and on an event loop
(`report_on_loop`, `readiness_on_loop`); results are shared between the two.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from obs.errors import ConfigError
from obs.runtime import draining, guard, logger, probes, process
from obs.runtime.probes import Check, Outcome
from obs.runtime.redaction import clean

F = TypeVar("F", bound=Callable[[], object])


class Report(NamedTuple):
    """The answer to a health request: HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


_checks: dict[str, Check] = {}


def check(
    name: str, *, critical: bool = True, timeout: float = 1.0, ttl: float | None = None
) -> Callable[[F], F]:
    """Declare the decorated function, plain or asynchronous, as the health check `name`.

    It is unhealthy when it raises, returns False or takes longer than `timeout` seconds. A failing
    critical check makes the service unhealthy and not ready, any other one degraded. A mapping
    that it returns is shown with the result, cleaned of secrets. Its result is kept for `ttl`
    seconds (default: setting `health_ttl`), so that many who ask run it once. A second check of the
    same name replaces the first.

    Raises `ConfigError` for an empty name, a time limit that is not positive, a negative `ttl`, and for
    what is no function.
    """
    _refuse(name, critical, timeout, ttl)

    def declare(probe: F) -> F:
        if not callable(probe):
            raise ConfigError(f"check {name!r}: got {type(probe).__name__}, expected a function")
        _checks[name] = Check(name, probe, critical, timeout, ttl)
        return probe

    return declare


def _refuse(name: object, critical: object, timeout: object, ttl: object) -> None:
    """Raise `ConfigError` for what cannot work, `@obs.check` without its brackets among it."""
    if not isinstance(name, str) or not name:
        raise ConfigError(f"check: got {name!r}, expected a name", hint='@obs.check("database")')
    if not isinstance(critical, bool):
        raise ConfigError(f"check {name!r}: got critical {critical!r}, expected True or False")
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise ConfigError(f"check {name!r}: got timeout {timeout!r}, expected seconds above zero")
    if ttl is not None and (
        isinstance(ttl, bool) or not (isinstance(ttl, (int, float)) and 0 <= ttl < math.inf)
    ):
        raise ConfigError(f"check {name!r}: got ttl {ttl!r}, expected seconds, 0 to ask each time")


def report() -> Report:
    """Return the health report; 503 when a critical check fails. For threads: it waits for the checks."""
    checks = list(_checks.values())
    return _report(checks, _ask(checks))


async def report_on_loop() -> Report:
    """Return the health report without blocking the event loop."""
    checks = list(_checks.values())
    return _report(checks, await _ask_on_loop(checks))


def readiness() -> Report:
    """Return whether work may be sent here: 503 when a critical check fails, and while draining."""
    checks = _critical()
    return _readiness(checks, _ask(checks))


async def readiness_on_loop() -> Report:
    """Return whether work may be sent here without blocking the event loop."""
    checks = _critical()
    return _readiness(checks, await _ask_on_loop(checks))


def liveness() -> Report:
    """Return that the process can answer at all."""
    return Report(200, {"status": "alive", "uptime": round(process.uptime(), 3)})


def _critical() -> list[Check]:
    # One that is told to go need not ask its database first.
    return [] if draining.active() else [item for item in _checks.values() if item.critical]


def _report(checks: list[Check], outcomes: Mapping[str, Outcome]) -> Report:
    failed = [item for item in checks if outcomes[item.name].verdict == "unhealthy"]
    critical = any(item.critical for item in failed)
    body = {
        "status": "unhealthy" if critical else "degraded" if failed else "healthy",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "uptime": round(process.uptime(), 3),
        "checks": {**_memory(), **{name: _shown(outcome) for name, outcome in outcomes.items()}},
    }
    return Report(503 if critical else 200, body)


def _readiness(checks: list[Check], outcomes: Mapping[str, Outcome]) -> Report:
    if draining.active():
        return Report(503, {"status": "draining", "checks": {}})
    ready = all(outcomes[item.name].verdict == "healthy" for item in checks)
    shown = {name: outcome.verdict for name, outcome in outcomes.items()}
    return Report(200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": shown})


def _shown(outcome: Outcome) -> object:
    if not outcome.details:
        return outcome.verdict
    details = {name: value for name, value in clean(outcome.details).items() if name != "status"}
    return {"status": outcome.verdict, **details}


def _memory() -> dict[str, object]:
    """Return the resident megabytes. Python has no heap of its own to tell apart, so no `heapUsed`."""
    megabytes = process.resident_megabytes()
    return {"memory": {"status": "healthy", **({"rss": megabytes} if megabytes is not None else {})}}


def _ask(checks: list[Check]) -> dict[str, Outcome]:
    # Started together, then waited for in turn.
    runs = [probes.share(item) for item in checks]
    return _told(checks, [probes.wait(item, run) for item, run in zip(checks, runs, strict=True)])


async def _ask_on_loop(checks: list[Check]) -> dict[str, Outcome]:
    import asyncio

    return _told(checks, await asyncio.gather(*(probes.ask_on_loop(item) for item in checks)))


def _told(checks: list[Check], outcomes: list[Outcome]) -> dict[str, Outcome]:
    for item, outcome in zip(checks, outcomes, strict=True):
        _tell(item, outcome)
    return {item.name: outcome for item, outcome in zip(checks, outcomes, strict=True)}


def _tell(item: Check, outcome: Outcome) -> None:
    """Log a check when it changes, not each time that somebody asks."""
    if item.last == outcome.verdict:
        return
    item.last = outcome.verdict
    with guard.contained("health"):
        if outcome.verdict == "unhealthy":
            logger.log.warning("health check failed", check=item.name, reason=outcome.reason)
        else:
            logger.log.info("health check recovered", check=item.name)


def forget() -> None:
    """Forget what checks found and their runs in progress: in a forked child, and before a test."""
    for item in _checks.values():
        item.run, item.last = None, "healthy"


if hasattr(os, "register_at_fork"):
    # The threads of those runs are the parent's.
    os.register_at_fork(after_in_child=forget)
