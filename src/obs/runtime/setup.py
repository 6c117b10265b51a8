"""Start, change and stop obs in this process: the only place that knows every pillar."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from obs.runtime import draining, exits, guard, inherited, live, recording
from obs.runtime.parts.audit import AuditPart
from obs.runtime.parts.crashes import CrashesPart
from obs.runtime.parts.logs import LogsPart
from obs.runtime.parts.metrics import MetricsPart
from obs.runtime.parts.part import Part, Report
from obs.runtime.parts.redaction import RedactionPart
from obs.runtime.parts.serve import ServePart
from obs.runtime.parts.traces import TracesPart
from obs.runtime.settings import Settings, differences, require_service, resolve
from obs.runtime.silence import without_exporters

_LOGS = LogsPart()
_TRACES = TracesPart()
#: Every pillar, in the order of starting; they stop in the opposite order. Logs first: whatever goes
#: wrong after them has a line.
PARTS: tuple[Part, ...] = (
    _LOGS,
    RedactionPart(),
    AuditPart(),
    CrashesPart(),
    MetricsPart(),
    _TRACES,
    ServePart(),
)


@dataclass(frozen=True)
class Status:
    """What is on, what is skipped and why, and what was noticed on the way."""

    running: bool
    settings: Settings | None = None
    #: Parts that work.
    on: tuple[str, ...] = ()
    #: Part -> why it does not work.
    skipped: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: What the host had set up already and obs left in place.
    adopted: tuple[str, ...] = ()
    #: What is worth knowing, such as what a second `init()` changed.
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what a person wants to know, one fact a line."""
        service = f" for {self.settings.service}" if self.settings is not None else ""
        lines = [f"obs is {'on' if self.running else 'off'}{service}"]
        lines += [f"  on: {part}" for part in self.on]
        lines += [f"  skipped: {part} ({reason})" for part, reason in self.skipped.items()]
        lines += [f"  adopted: {part}" for part in self.adopted]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


@dataclass(frozen=True)
class _Running:
    settings: Settings
    notes: tuple[str, ...] = ()
    #: Settings that say where to send telemetry, and are passed over in a test run.
    silenced: tuple[str, ...] = ()
    #: The settings with those.
    asked: Settings | None = None


_lock = threading.RLock()
_running: _Running | None = None
#: Whether the thread that has the lock starts or stops, and what its signal handlers want done after that.
_busy = False
_later: list[Callable[[], object]] = []
#: Why SIGTERM does not deliver what waits; empty when it does.
_uncovered = ""
#: Whether a thread that forks has the lock.
_forking = threading.local()
#: Seconds that a fork waits for an `init()` or a `shutdown()` in another thread.
_FORK_PATIENCE = 5.0
#: Seconds: a day stands for infinity, which no wait of a thread takes.
_LONGEST = 86_400.0


def init(
    service: str | None = None,
    *,
    version: str | None = None,
    environment: str | None = None,
    **settings: Any,
) -> Status:
    """Start obs, or change how it runs; return what is on.

    `settings` are those that `obs settings` lists. A second call with equal settings does nothing;
    one with others reconfigures and says so in the status. Raises `ConfigError` (an `ObsError`)
    when nothing names the service or a setting cannot work.
    """
    given = {"service": service, "version": version, "environment": environment, **settings}
    return run(require_service(resolve(given)))


def run(wanted: Settings) -> Status:
    """Start obs with settings that are complete, or go over to them; return what is on."""
    asked = wanted
    silenced: tuple[str, ...] = ()
    if recording.silenced():
        wanted, silenced = without_exporters(wanted)
    global _running, _uncovered
    with _alone(partial(run, asked)) as alone:
        if alone:
            before = _running
            if before is not None and before.settings == wanted:
                return status()
            started = _start(wanted) if before is None else _change(before, wanted)
            _running = replace(started, silenced=silenced, asked=asked)
            _uncovered = exits.watch(
                flush, shutdown, wanted.shutdown_timeout, sigterm=wanted.flush_on_sigterm
            )
    return status()


@contextmanager
def _alone(again: Callable[[], object]) -> Iterator[bool]:
    """Have the lock; False in the middle of a start or a stop of this very thread, which then does `again`.

    Its signal handler would else start or stop parts that what it interrupts goes on with.
    """
    global _busy
    with _lock:
        if _busy:
            _later.append(again)
            yield False
            return
        _busy = True
        try:
            yield True
        finally:
            _busy = False
            while _later:
                with guard.contained("setup"):
                    _later.pop(0)()


def asked() -> Settings | None:
    """Return the settings that obs was asked to run with, exporters included; None while it is stopped."""
    return _running.asked if _running is not None else None


def status() -> Status:
    """Return what is on, what is skipped and why."""
    running = _running
    if running is None:
        return Status(running=False, skipped=MappingProxyType({"obs": "init() has not run"}))
    report = Report()
    for part in PARTS:
        part.describe(report)
    for name in running.silenced:
        report.skipped.pop("trace export", None)
        report.skipped[name] = recording.silenced() or "silenced when it started"
    if _uncovered:
        report.skipped["flush at SIGTERM"] = _uncovered
    return Status(
        running=True,
        settings=running.settings,
        on=tuple(report.on),
        skipped=MappingProxyType(report.skipped),
        adopted=tuple(report.adopted),
        notes=running.notes,
    )


def flush(timeout: float | None = None) -> bool:
    """Deliver what is waiting, within `timeout` seconds (default: setting `shutdown_timeout`).

    Return whether everything was delivered; never raises.
    """
    running = _running
    if running is None:
        return True
    ends = time.monotonic() + _deadline(running.settings, timeout)
    # All begin at once, so that one that waits for a dead collector takes no time from the others.
    for part in PARTS:
        with guard.contained("setup"):
            part.hurry(max(0.0, ends - time.monotonic()))
    delivered = True
    for part in PARTS:
        done = False
        with guard.contained("setup"):
            done = part.flush(max(0.0, ends - time.monotonic()))
        delivered = delivered and done
    return delivered


def shutdown(timeout: float | None = None) -> bool:
    """Deliver what is waiting within `timeout` seconds, stop, and put the host's logging back.

    Handles become inert and `init()` may be called again. Return whether everything was
    delivered; never raises. In a signal handler in the middle of `init()` or `shutdown()` it returns
    False, and is done as soon as that has ended.
    """
    global _running
    with _alone(partial(shutdown, timeout)) as alone:
        if not alone:
            return False
        running, _running = _running, None
        if running is None:
            return True
        exits.release()
        return _stop(_deadline(running.settings, timeout))


def adopt_servers() -> None:
    """Lead the loggers of a web server that has configured itself since `init()` through ours."""
    logs = _LOGS.logs
    if logs is not None:
        with guard.contained("logs"):
            logs.adopt_servers()


def _start(settings: Settings) -> _Running:
    try:
        for part in PARTS:
            part.start(settings)
    except BaseException:
        # An init() that fails has changed nothing.
        _stop(0.0)
        raise
    draining.end()
    live.run(settings, _TRACES.traces)
    return _Running(settings)


def _stop(timeout: float) -> bool:
    ends = time.monotonic() + timeout
    live.run(None, None)
    for part in PARTS:
        with guard.contained("setup"):
            part.hurry(max(0.0, ends - time.monotonic()))
    delivered = True
    for part in reversed(PARTS):
        done = False
        with guard.contained("setup"):
            done = part.stop(max(0.0, ends - time.monotonic()))
        delivered = delivered and done
    return delivered


def _change(before: _Running, wanted: Settings) -> _Running:
    notes = [f"reconfigured: {item}" for item in differences(before.settings, wanted)]
    try:
        costs = [part.change(before.settings, wanted) for part in PARTS]
    except BaseException:
        # Half of the new settings is worse than all of the old ones.
        _stop(0.0)
        _start(before.settings)
        raise
    live.run(wanted, _TRACES.traces)
    return _Running(wanted, (*notes, *filter(None, costs)))


def _deadline(settings: Settings, timeout: float | None) -> float:
    """Return the seconds that there are; what is no number counts as not given, and is told by the guard."""
    with guard.contained("setup"):
        if timeout is not None:
            return min(max(0.0, float(timeout)), _LONGEST)
    return settings.shutdown_timeout


def _before_fork() -> None:
    # A child could never finish what another thread has begun: half of the parts, and locks that nobody renews.
    _forking.locked = _lock.acquire(timeout=_FORK_PATIENCE)
    # It may have been imported since `init()`.
    exits.watch_multiprocessing()
    for part in PARTS:
        with guard.contained("setup"):
            part.hold()
    with guard.contained("setup"):
        inherited.await_imports()
    with guard.contained("setup"):
        exits.hold()


def _resume_in_parent() -> None:
    for part in PARTS:
        with guard.contained("setup"):
            part.resume()
    with guard.contained("setup"):
        exits.resume()
    # Not set where a signal's handler has ended the wait by an exception.
    if getattr(_forking, "locked", False):
        _forking.locked = False
        _lock.release()


def _renew_in_child() -> None:
    global _lock, _forking, _busy
    _busy = False
    _later.clear()
    _lock, _forking = threading.RLock(), threading.local()
    with guard.contained("setup"):
        inherited.forget_imports()
    for part in PARTS:
        with guard.contained("setup"):
            part.renew()
    with guard.contained("setup"):
        exits.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_resume_in_parent, after_in_child=_renew_in_child
    )
