"""Observability for Python services: metrics, traces and JSON logs under one id.

Importing this package loads nothing of the runtime: each name is fetched when it is first used.
"""

# Type checkers know this name; importing typing for it would be most of what `import obs` costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from obs._version import __version__
    from obs.errors import ConfigError, MissingExtra, ObsError, UnknownSignal
    from obs.integrations.kinds import instrument
    from obs.runtime.carry import carry
    from obs.runtime.context import Ids, bind, extract, ids, inject
    from obs.runtime.crashes import capture
    from obs.runtime.events import audit, security_event
    from obs.runtime.health import check
    from obs.runtime.instruments import Counter, Gauge, Histogram, counter, gauge, histogram
    from obs.runtime.jobs import Job, job
    from obs.runtime.levels import set_level
    from obs.runtime.logger import Logger, get_logger, log
    from obs.runtime.server import serve
    from obs.runtime.settings import Settings
    from obs.runtime.setup import Status, flush, init, shutdown, status
    from obs.runtime.traces import ActiveSpan, span
else:
    _HOMES = {
        "obs._version": ("__version__",),
        "obs.errors": ("ConfigError", "MissingExtra", "ObsError", "UnknownSignal"),
        "obs.integrations.kinds": ("instrument",),
        "obs.runtime.carry": ("carry",),
        "obs.runtime.context": ("Ids", "bind", "extract", "ids", "inject"),
        "obs.runtime.crashes": ("capture",),
        "obs.runtime.events": ("audit", "security_event"),
        "obs.runtime.health": ("check",),
        "obs.runtime.instruments": ("Counter", "Gauge", "Histogram", "counter", "gauge", "histogram"),
        "obs.runtime.jobs": ("Job", "job"),
        "obs.runtime.levels": ("set_level",),
        "obs.runtime.logger": ("Logger", "get_logger", "log"),
        "obs.runtime.server": ("serve",),
        "obs.runtime.settings": ("Settings",),
        "obs.runtime.setup": ("Status", "flush", "init", "shutdown", "status"),
        "obs.runtime.traces": ("ActiveSpan", "span"),
    }
    _HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

    import _thread
    import os

    # A module that one thread is importing while another one forks can never be imported in the child:
    # it waits for the lock of a thread that is not there.
    _loading = _thread.RLock()
    _waited: list[bool] = []

    def __getattr__(name: str) -> object:
        import importlib

        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module 'obs' has no attribute {name!r}")
        with _loading:
            value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value

    def _hold_fork() -> None:
        _waited.append(_loading.acquire(timeout=10))

    def _release_fork() -> None:
        if _waited.pop():
            _loading.release()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_hold_fork, after_in_parent=_release_fork, after_in_child=_release_fork)

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOME_OF})


__all__ = [
    "ActiveSpan",
    "ConfigError",
    "Counter",
    "Gauge",
    "Histogram",
    "Ids",
    "Job",
    "Logger",
    "MissingExtra",
    "ObsError",
    "Settings",
    "Status",
    "UnknownSignal",
    "__version__",
    "audit",
    "bind",
    "capture",
    "carry",
    "check",
    "counter",
    "extract",
    "flush",
    "gauge",
    "get_logger",
    "histogram",
    "ids",
    "init",
    "inject",
    "instrument",
    "job",
    "log",
    "security_event",
    "serve",
    "set_level",
    "shutdown",
    "span",
    "status",
]
