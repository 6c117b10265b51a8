"""The only door to structlog: the host's use of it, led through our pipeline, and lines for people.

structlog is not imported for its own sake: it takes a quarter of the time that `init()` takes, the
more so where rich is installed. It is configured when the host has it or when the host imports it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, MutableMapping, Sequence
from functools import lru_cache
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from obs.runtime import guard, levels, logger
from obs.runtime.lines import Renderer
from obs.runtime.severity import SEVERITY, active_error

_NAME = "structlog"
#: Methods of structlog's loggers -> the level that they write.
_METHODS = {
    "debug": "debug", "info": "info", "msg": "info", "warning": "warning", "warn": "warning",
    "error": "error", "exception": "error", "critical": "critical", "fatal": "critical",
}  # fmt: skip


class Structlog:
    """What was done to structlog, now or as soon as it is imported, and how to undo it."""

    def __init__(self) -> None:
        self._configured = False
        self.adopted = False
        self._awaited: _Awaited | None = None
        if _NAME in sys.modules:
            self._configure()
        else:
            self._awaited = _Awaited(self._configure)
            sys.meta_path.insert(0, self._awaited)

    def _configure(self) -> None:
        import structlog

        self._awaited = None
        self.adopted = structlog.is_configured()
        if not self.adopted:
            structlog.configure(**_configuration())
            self._configured = True

    def stop(self) -> None:
        """Leave structlog as it was found."""
        if self._awaited is not None and self._awaited in sys.meta_path:
            sys.meta_path.remove(self._awaited)
        if self._configured:
            import structlog

            if structlog.get_config()["processors"] is _configuration()["processors"]:
                structlog.reset_defaults()


class _Awaited:
    """A finder that acts once, when structlog has really been imported.

    It answers for that name alone, and only with what the other finders say. Asking whether structlog
    is there (`importlib.util.find_spec`) does not use it up, and no loader is changed: one may serve
    every module of a zip file.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the real spec of structlog with a loader that then tells us; None for other modules."""
        if name != _NAME:
            return None
        others = (finder for finder in list(sys.meta_path) if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others if hasattr(finder, "find_spec"))
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Telling(spec.loader, self._imported)
        return spec

    def _imported(self) -> None:
        # Absent when obs was stopped in the meantime, and after a first import.
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            with guard.contained("logs"):
                self._act()


class _Telling(Loader):
    """The loader of one module, which it leaves as it would be without us, and then tells."""

    def __init__(self, loader: Loader, tell: Callable[[], None]) -> None:
        self._loader = loader
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._tell()


class _LineLogger:
    """What structlog's loggers write to: the pipeline of the moment.

    structlog caches its loggers for ever, so that this one outlives `shutdown()` and the next `init()`.
    """

    def __init__(self, name: str = "") -> None:
        self.gate = levels.gate(name)
        self._name = name

    def msg(self, level: str, message: str, fields: dict[str, Any], error: BaseException | None) -> None:
        logger.write(self._name, level, message, fields, error)

    debug = info = warning = error = critical = exception = log = msg


def _to_line(_: Any, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    error = active_error(event.pop("exc_info", method == "exception"))
    level = {"warn": "warning", "exception": "error", "fatal": "critical"}.get(method, method)
    message = event.pop("event", "")
    return (level if level in SEVERITY else "info", message, dict(event), error), {}


@lru_cache(maxsize=1)
def _configuration() -> dict[str, Any]:
    """Return what structlog is configured with, made once: cached loggers keep the very list."""
    import structlog

    return {
        "processors": [structlog.contextvars.merge_contextvars, _to_line],
        "wrapper_class": _gated(structlog.make_filtering_bound_logger(0)),
        "logger_factory": lambda *names: _LineLogger(str(names[0]) if names else ""),
        # A logger that is not cached is made anew for every line, for those that are not written too.
        "cache_logger_on_first_use": True,
    }


def _gated(base: Any) -> Any:
    """Return structlog's own kind of logger, whose threshold is that of the gate at the moment.

    The one it offers has its threshold built into the class, for the life of every cached logger.
    """

    def method(name: str, number: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        write, write_later = getattr(base, name), getattr(base, f"a{name}")

        def log(self: Any, event: Any = None, *args: Any, **fields: Any) -> Any:
            if self._logger.gate.level <= number:
                return write(self, event, *args, **fields)
            return None

        async def alog(self: Any, event: Any = None, *args: Any, **fields: Any) -> Any:
            if self._logger.gate.level <= number:
                return await write_later(self, event, *args, **fields)
            return None

        return log, alog

    methods = dict(_introspection(base))
    for name, level in _METHODS.items():
        methods[name], methods[f"a{name}"] = method(name, SEVERITY[level])
    return type("Logger", (base,), methods)


def _introspection(base: Any) -> dict[str, Callable[..., Any]]:
    """Return the methods that take a level as a number."""

    def log(self: Any, level: int, event: Any, *args: Any, **fields: Any) -> Any:
        return base.log(self, level, event, *args, **fields) if self._logger.gate.level <= level else None

    async def alog(self: Any, level: int, event: Any, *args: Any, **fields: Any) -> Any:
        if self._logger.gate.level <= level:
            return await base.alog(self, level, event, *args, **fields)
        return None

    def is_enabled_for(self: Any, level: int) -> bool:
        return bool(self._logger.gate.level <= level)

    def get_effective_level(self: Any) -> int:
        return int(self._logger.gate.level)

    return {
        "log": log,
        "alog": alog,
        "is_enabled_for": is_enabled_for,
        "get_effective_level": get_effective_level,
    }


#: Not for people: what is the same on every line of the process, and the id of a span, which the one of
#: its trace finds.
_LEFT_OUT = frozenset({"service", "version", "environment", "span_id", "exception"})
#: Told after what a line is about.
_IDS = ("trace_id", "request_id")
#: The part of a time stamp that tells the time of day, in milliseconds.
_TIME = slice(11, 23)
_EVENT_WIDTH = 20


def console(*, colours: bool) -> Renderer:
    """Return what renders a line for people, in `colours` unless ``NO_COLOR`` is set."""
    import structlog

    render = structlog.dev.ConsoleRenderer(
        event_key="message",
        pad_event_to=_EVENT_WIDTH,
        sort_keys=False,
        colors=colours and not os.environ.get("NO_COLOR") and structlog.dev._has_colors,  # noqa: SLF001
    )

    def to_bytes(line: dict[str, Any]) -> bytes:
        # A copy: the line is for other outputs too.
        shown = {name: value for name, value in line.items() if name not in _LEFT_OUT and name not in _IDS}
        shown["timestamp"] = line["timestamp"][_TIME]
        shown.update((name, line[name]) for name in _IDS if name in line)
        stack = line.get("exception", "")
        text = render(None, line["level"], shown)
        return (str(text) + (f"\n{stack}" if stack else "") + "\n").encode("utf-8", "backslashreplace")

    return to_bytes
