"""The only door to structlog: the host's use of it, led through our pipeline, and lines for people.

structlog is not imported for its own sake: it takes a quarter of the time that `init()` takes, the
more so where rich is installed. It is configured when the host has it or when the host imports it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, MutableMapping, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from obs.runtime import guard
from obs.runtime.lines import Pipeline, Renderer
from obs.runtime.severity import SEVERITY, active_error

_NAME = "structlog"


class Structlog:
    """What was done to structlog, now or as soon as it is imported, and how to undo it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
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
            _configure_structlog(self._pipeline)
            self._configured = True

    def stop(self) -> None:
        """Leave structlog as it was found."""
        if self._awaited is not None and self._awaited in sys.meta_path:
            sys.meta_path.remove(self._awaited)
        if self._configured:
            import structlog

            if _to_line in structlog.get_config()["processors"]:
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
    """What structlog's loggers write to: the pipeline."""

    def __init__(self, pipeline: Pipeline, name: str = "") -> None:
        self._pipeline = pipeline
        self._name = name

    def msg(self, level: str, message: str, fields: dict[str, Any], error: BaseException | None) -> None:
        try:
            self._pipeline.emit(level, message, fields, logger=self._name, error=error)
        except Exception as failure:
            guard.report("logs", failure)

    debug = info = warning = error = critical = exception = log = msg


def _to_line(_: Any, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    error = active_error(event.pop("exc_info", method == "exception"))
    level = {"warn": "warning", "exception": "error", "fatal": "critical"}.get(method, method)
    message = str(event.pop("event", ""))
    return (level if level in SEVERITY else "info", message, dict(event), error), {}


def _configure_structlog(pipeline: Pipeline) -> None:
    import structlog

    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _to_line],
        wrapper_class=structlog.make_filtering_bound_logger(pipeline.threshold),
        logger_factory=lambda *names: _LineLogger(pipeline, str(names[0]) if names else ""),
        # A cached logger would keep this pipeline after the next init().
        cache_logger_on_first_use=False,
    )


def console() -> Renderer:
    """Return what renders a line for people."""
    import structlog

    render = structlog.dev.ConsoleRenderer(
        event_key="message",
        colors="NO_COLOR" not in os.environ and structlog.dev._has_colors,  # noqa: SLF001
    )

    def to_bytes(line: dict[str, Any]) -> bytes:
        stack = line.pop("exception", "")
        for name in ("service", "version", "environment"):
            line.pop(name, None)
        text = render(None, line["level"], line)
        return (str(text) + (f"\n{stack}" if stack else "") + "\n").encode("utf-8", "backslashreplace")

    return to_bytes
