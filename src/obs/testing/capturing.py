"""Capture everything that obs makes during a block, and put the process back afterwards."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from obs.runtime import clock, context, draining, lines, recording, setup, tally
from obs.runtime.settings import override
from obs.testing.clock import Clock
from obs.testing.recorder import Recorder
from obs.testing.telemetry import Telemetry

#: What a test may bind without an end.
_BOUND: tuple[Any, ...] = (context.bound, context.request_id, context.carried, context.client)
#: The service of a test whose code has not called `init()`.
SERVICE = "test"


@contextmanager
def capture(service: str = SERVICE, **settings: Any) -> Iterator[Telemetry]:
    """Capture logs, metrics, spans, error and audit events of the block, under fixed ids and a fixed clock.

    Where `init()` has run already, its settings hold, under these over them; else obs runs for `service`
    at level debug. Nothing is sent out. Afterwards obs is as it was before: running with the same
    settings, its metrics at zero again, or stopped. Code in the block may call `init()` and
    `shutdown()`. Captures do not nest. Raises `RuntimeError` inside another capture.
    """
    if recording.recorder() is not None:
        raise RuntimeError("a capture is in progress: use the `telemetry` that it gave")
    before = setup.asked()
    served = _served()
    silenced = recording.silenced()
    recorder = Recorder(Clock())
    fresh = context.new_request_id
    requests = itertools.count(1)
    restore = _hold()
    # What is on its way out for real is let out first.
    setup.shutdown(0 if silenced else None)
    tally.reset()
    recording.show(recorder)
    recording.silence(silenced or "captured by a test")
    lines.capture(recorder.line)
    clock.replace(recorder.clock.now, recorder.clock.elapsed)
    context.new_request_id = lambda: f"{next(requests):032x}"
    try:
        if before is None:
            setup.init(service, **{"log_level": "debug", **settings})
        else:
            setup.run(override(before, settings))
        _serve(served)
        _forget_checks()
        telemetry = Telemetry(recorder)
        telemetry.clear()
        yield telemetry
    finally:
        setup.shutdown(0)
        restore()
        context.new_request_id = fresh
        clock.restore()
        lines.capture()
        recording.silence(silenced)
        recording.show(None)
        tally.reset()
        draining.end()
        _forget_checks()
        if before is not None:
            setup.run(before)
            _serve(served)


def _hold() -> Callable[[], None]:
    """Return what takes away the spans, fields and ids that a test has left in its context."""
    from obs.runtime.otel.held import hold

    span, fields = hold(), [(variable, variable.get()) for variable in _BOUND]

    def restore() -> None:
        span()
        for variable, value in fields:
            variable.set(value)

    return restore


def _served() -> list[tuple[str, int]]:
    """Return where `serve()` answers, if the process uses it at all."""
    server = sys.modules.get("obs.runtime.server")
    return [] if server is None else server.places()


def _serve(places: list[tuple[str, int]]) -> None:
    for host, port in places:
        from obs.runtime.server import serve

        serve(port, host)


def _forget_checks() -> None:
    """Let no test see what a health check found in another one."""
    health = sys.modules.get("obs.runtime.health")
    if health is not None:
        health.forget()
