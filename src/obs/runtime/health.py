"""Health: checks that the host declares, run together and each under its own time limit."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from obs.errors import ConfigError
from obs.runtime import guard, logger, process
from obs.runtime.redaction import clean

Verdict: TypeAlias = Literal["healthy", "unhealthy"]
Probe: TypeAlias = Callable[[], object]
F = TypeVar("F", bound=Callable[[], object])


class Outcome(NamedTuple):
    """What one check found; `reason` is for the log, never for the page, which strangers may read."""

    verdict: Verdict
    reason: str
    details: Mapping[str, object]


class Report(NamedTuple):
    """The answer to a health request: HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


@dataclass
class Check:
    """A declared check and what it found last."""

    name: str
    probe: Probe
    critical: bool
    timeout: float
    last: Verdict = "healthy"
    #: The run of a plain probe in progress; a stuck one is not started again until it returns.
    pending: Future[object] | None = None


_checks: dict[str, Check] = {}


def check(name: str, *, critical: bool = True, timeout: float = 1.0) -> Callable[[F], F]:
    """Declare the decorated function, plain or asynchronous, as the health check `name`.

    It is unhealthy when it raises, returns False or takes longer than `timeout` seconds. A failing
    critical check makes the service unhealthy and not ready, any other one degraded. A mapping
    that it returns is shown with the result. A second check of the same name replaces the first.

    Raises `ConfigError` for an empty name or a time limit that is not positive.
    """
    _refuse(name, timeout)

    def declare(probe: F) -> F:
        _checks[name] = Check(name, probe, critical, timeout)
        return probe

    return declare


def _refuse(name: object, timeout: object) -> None:
    """Raise `ConfigError` for what cannot work, `@obs.check` without its brackets among it."""
    if not isinstance(name, str) or not name:
        raise ConfigError(f"check: got {name!r}, expected a name", hint='@obs.check("database")')
    if not isinstance(timeout, (int, float)) or not timeout > 0:
        raise ConfigError(f"check {name!r}: got timeout {timeout!r}, expected seconds above zero")


async def report() -> Report:
    """Run every check and return the health report; 503 when a critical one fails."""
    checks = list(_checks.values())
    outcomes = await _outcomes(checks)
    failed = [item for item in checks if outcomes[item.name].verdict == "unhealthy"]
    critical = any(item.critical for item in failed)
    body = {
        "status": "unhealthy" if critical else "degraded" if failed else "healthy",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "uptime": round(process.uptime(), 3),
        "checks": {**_memory(), **{name: _shown(outcome) for name, outcome in outcomes.items()}},
    }
    return Report(503 if critical else 200, body)


async def readiness() -> Report:
    """Run the critical checks; 503 and their names when one fails."""
    checks = [item for item in _checks.values() if item.critical]
    outcomes = await _outcomes(checks)
    ready = all(outcome.verdict == "healthy" for outcome in outcomes.values())
    shown = {name: outcome.verdict for name, outcome in outcomes.items()}
    return Report(200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": shown})


def liveness() -> Report:
    """Return that the process can answer at all."""
    return Report(200, {"status": "alive", "uptime": round(process.uptime(), 3)})


def _shown(outcome: Outcome) -> object:
    if not outcome.details:
        return outcome.verdict
    details = {name: value for name, value in clean(outcome.details).items() if name != "status"}
    return {"status": outcome.verdict, **details}


def _memory() -> dict[str, object]:
    megabytes = process.resident_megabytes()
    return {"memory": {"status": "healthy", **({"rss": megabytes} if megabytes is not None else {})}}


async def _outcomes(checks: list[Check]) -> dict[str, Outcome]:
    found = await asyncio.gather(*(_run(item) for item in checks))
    for item, outcome in zip(checks, found, strict=True):
        _tell(item, outcome)
    return {item.name: outcome for item, outcome in zip(checks, found, strict=True)}


async def _run(item: Check) -> Outcome:
    task = asyncio.ensure_future(_answer(item))
    try:
        # Not wait_for: it waits on for a probe that will not be cancelled, and mixes up who cancelled whom.
        await asyncio.wait({task}, timeout=item.timeout)
        if not task.done():
            return Outcome("unhealthy", f"no answer within {item.timeout:g} s", {})
        if task.cancelled():
            return Outcome("unhealthy", "it was cancelled", {})
        error = task.exception()
        if error is not None:
            return Outcome("unhealthy", f"{type(error).__name__}: {error}", {})
    finally:
        task.cancel()
    result = task.result()
    details = result if isinstance(result, Mapping) else {}
    return Outcome("unhealthy" if result is False else "healthy", "it returned False", details)


async def _answer(item: Check) -> object:
    try:
        result = item.probe() if inspect.iscoroutinefunction(item.probe) else await _in_thread(item)
        # An object with an asynchronous `__call__`, or a lambda around a coroutine function.
        return await result if inspect.isawaitable(result) else result
    except SystemExit as error:
        # Raised in a task it would stop the host's event loop.
        raise RuntimeError("the check called sys.exit()") from error


def _in_thread(item: Check) -> Awaitable[object]:
    """Run a plain probe in a thread of its own, shared by everybody who asks while it runs.

    No pool: a probe that is stuck must neither pile up nor keep the process from ending.
    """
    pending = item.pending
    if pending is None or pending.done():
        pending = item.pending = Future()
        # From here on it cannot be cancelled by the first asker who loses patience.
        pending.set_running_or_notify_cancel()
        threading.Thread(
            target=_settle, args=(item.probe, pending), name=f"obs-check-{item.name}", daemon=True
        ).start()
    return asyncio.wrap_future(pending)


def _settle(probe: Probe, pending: Future[object]) -> None:
    try:
        result = probe()
    except BaseException as error:
        # SystemExit as well: whoever waits must hear of it.
        pending.set_exception(error)
    else:
        pending.set_result(result)


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
