"""Start, change and stop obs in this process: the only place that knows every pillar."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from obs.runtime import endpoints, guard, instruments, live, logger
from obs.runtime.settings import Settings, differences, require_service, resolve

if TYPE_CHECKING:
    from obs.runtime.logs import Logs
    from obs.runtime.metrics.backend import Metrics
    from obs.runtime.otel.tracing import Traces

#: Settings whose change needs new metrics (and with them series that start again at zero).
_OF_METRICS = ("metrics", "dialect", "series_cap", "version")


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


@dataclass
class _Running:
    settings: Settings
    metrics: Metrics | None = None
    logs: Logs | None = None
    traces: Traces | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


_lock = threading.RLock()
_running: _Running | None = None


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
    wanted = require_service(resolve(given))
    global _running
    with _lock:
        before = _running
        if before is not None and before.settings == wanted:
            return status()
        _running = _start(wanted) if before is None else _change(before, wanted)
        _stop_at_exit()
    return status()


def status() -> Status:
    """Return what is on, what is skipped and why."""
    running = _running
    if running is None:
        return Status(running=False, skipped=MappingProxyType({"obs": "init() has not run"}))
    parts = {"metrics": running.metrics, "logs": running.logs, "traces": running.traces}
    on = [name for name, part in parts.items() if part is not None]
    server = _server()
    on += [f"serve {address}" for address in server.addresses()] if server is not None else []
    skipped = dict(running.skipped)
    adopted = []
    if running.logs is not None and running.logs.adopted_structlog:
        adopted.append("structlog configuration")
    if running.traces is not None:
        if running.traces.adopted:
            adopted.append("tracer provider")
        elif running.traces.endpoint:
            on.append("trace export")
        else:
            skipped["trace export"] = "no OTLP endpoint is set; spans have ids and are not exported"
    return Status(
        running=True,
        settings=running.settings,
        on=tuple(on),
        skipped=MappingProxyType(skipped),
        adopted=tuple(adopted),
        notes=tuple(running.notes),
    )


def flush(timeout: float | None = None) -> bool:
    """Deliver what is waiting, within `timeout` seconds (default: setting `shutdown_timeout`).

    Return whether everything was delivered; never raises.
    """
    running = _running
    if running is None or running.traces is None:
        return True
    with guard.contained("traces"):
        return running.traces.flush(_deadline(running.settings, timeout))
    return False


def shutdown(timeout: float | None = None) -> bool:
    """Deliver what is waiting within `timeout` seconds, stop, and put the host's logging back.

    Handles become inert and `init()` may be called again. Return whether everything was
    delivered; never raises.
    """
    global _running
    with _lock:
        running, _running = _running, None
        if running is None:
            return True
        return _stop(running, _deadline(running.settings, timeout))


def adopt_servers() -> None:
    """Lead the loggers of a web server that has configured itself since `init()` through ours."""
    running = _running
    if running is not None and running.logs is not None:
        with guard.contained("logs"):
            running.logs.adopt_servers()


def _server() -> ModuleType | None:
    """Return the module of `serve()` when it is in use: http.server is not for every process."""
    return sys.modules.get("obs.runtime.server")


def _start(settings: Settings) -> _Running:
    running = _Running(settings)
    try:
        # Logs first: whatever goes wrong after them has a line.
        _start_logs(running)
        _start_metrics(running)
        _start_traces(running)
    except BaseException:
        # An init() that fails has changed nothing.
        _stop(running, 0.0)
        raise
    live.run(settings, running.traces)
    return running


def _stop(running: _Running, timeout: float) -> bool:
    ends = time.monotonic() + timeout
    delivered = True
    with guard.contained("setup"):
        server = _server()
        if server is not None:
            server.stop()
    live.run(None, None)
    if running.traces is not None:
        delivered = _stop_traces(running.traces, max(0.0, ends - time.monotonic()))
    with guard.contained("metrics"):
        endpoints.use(None)
        instruments.attach_all(None)
    guard.report_to(None)
    logger.use(None)
    if running.logs is not None:
        with guard.contained("logs"):
            running.logs.stop()
    return delivered


def _change(before: _Running, wanted: Settings) -> _Running:
    running = _Running(
        wanted, notes=[f"reconfigured: {item}" for item in differences(before.settings, wanted)]
    )
    if before.logs is not None:
        before.logs.stop()
    _start_logs(running)
    if any(getattr(before.settings, name) != getattr(wanted, name) for name in _OF_METRICS):
        running.notes.append("metrics began again at zero")
        _start_metrics(running)
    else:
        running.metrics = before.metrics
    if before.traces is not None:
        _stop_traces(before.traces, wanted.shutdown_timeout)
    _start_traces(running)
    live.run(wanted, running.traces)
    return running


def _start_logs(running: _Running) -> None:
    if not running.settings.logs:
        running.skipped["logs"] = "setting logs is false"
        logger.use(None, off=True)
        guard.report_to(None)
        return
    if getattr(sys, f"__{running.settings.log_stream}__") is None:
        # Python found it closed at its start; whatever file or socket has its number now is not ours.
        running.skipped["logs"] = f"{running.settings.log_stream} is closed"
        logger.use(None, off=True)
        guard.report_to(None)
        return
    from obs.runtime.logs import Logs

    running.logs = Logs(running.settings)
    guard.report_to(_report_line)


def _start_metrics(running: _Running) -> None:
    if not running.settings.metrics:
        running.skipped["metrics"] = "setting metrics is false"
        endpoints.use(None)
        instruments.attach_all(None)
        return
    from obs.runtime.metrics.backend import Metrics

    running.metrics = Metrics(running.settings)
    instruments.attach_all(running.metrics)
    endpoints.use(running.metrics)


def _start_traces(running: _Running) -> None:
    if not running.settings.traces:
        running.skipped["traces"] = "setting traces is false"
        return
    from obs.runtime.otel.tracing import Traces

    running.traces = Traces(running.settings, _outage_line)


def _stop_traces(traces: Traces, timeout: float) -> bool:
    with guard.contained("traces"):
        return traces.stop(timeout)
    return False


def _deadline(settings: Settings, timeout: float | None) -> float:
    return settings.shutdown_timeout if timeout is None else max(0.0, timeout)


def _report_line(component: str, error: BaseException) -> None:
    logger.log.warning("obs kept an error of its own from the host", component=component, exc_info=error)


def _outage_line(level: str, message: str) -> None:
    getattr(logger.get_logger("obs"), level)(message)


_registered = False


def _stop_at_exit() -> None:
    global _registered
    if not _registered:
        _registered = True
        atexit.register(shutdown)


def _flush_child_at_exit() -> None:
    """Deliver a multiprocessing child's spans: it leaves by `os._exit`, past every atexit handler."""
    util = sys.modules["multiprocessing.util"]
    util.Finalize(None, flush, exitpriority=0)


_hooked = False


def _before_fork() -> None:
    # Only once multiprocessing is in use: importing it is not for a telemetry library to decide.
    global _hooked
    util = sys.modules.get("multiprocessing.util")
    if util is not None and not _hooked:
        _hooked = True
        util.register_after_fork(_Running, lambda _: _flush_child_at_exit())


def _renew_in_child() -> None:
    global _lock
    _lock = threading.RLock()
    if _running is not None and _running.logs is not None:
        _running.logs.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_renew_in_child)
