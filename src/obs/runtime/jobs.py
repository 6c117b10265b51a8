"""Jobs: work by schedule or from a queue, with its runs counted, timed, traced and logged."""

from __future__ import annotations

import math
from typing import NamedTuple

from obs.catalogue import jobs as signals
from obs.errors import ConfigError
from obs.runtime import clock, crashes, live, logger, traces
from obs.runtime.block import Block
from obs.runtime.heartbeat import HEARTBEAT, pulse
from obs.runtime.instruments import counter, gauge, histogram
from obs.runtime.traces import ActiveSpan

RUNS = counter(signals.RUNS)
DURATION = histogram(signals.DURATION)
LAST_SUCCESS = gauge(signals.LAST_SUCCESS)
ACTIVE = gauge(signals.ACTIVE)
_NAME_LIMIT = 128


class ActiveRun(ActiveSpan):
    """A run in progress: its span, and its sign of life."""

    __slots__ = ("_name",)

    def __init__(self, name: str, span: live.Span | None) -> None:
        super().__init__(span)
        self._name = name

    def beat(self) -> None:
        """Tell that the work goes on, for a job whose process may live while its work stands still."""
        HEARTBEAT.set(clock.now(), job_name=self._name)


class _Run(NamedTuple):
    started: float
    span: live.Span | None
    active: ActiveRun


class Job(Block):
    """A job: `with`, `async with` or a decorator; an error is counted, logged with its stack, and passes."""

    def __init__(self, name: str, heartbeat: float | None) -> None:
        super().__init__()
        self._name = name
        self._heartbeat = heartbeat

    def _open(self) -> _Run:
        ACTIVE.inc(job_name=self._name)
        span = traces.start(f"job {self._name}", "internal", {"job.name": self._name})
        run = _Run(clock.elapsed(), span, ActiveRun(self._name, span))
        if self._heartbeat is not None:
            try:
                pulse.start(run.active, self._heartbeat)
            except BaseException as error:
                # Raised by a signal's handler, before anybody has what is to be closed.
                pulse.stop(run.active)
                ACTIVE.dec(job_name=self._name)
                traces.end(span, error)
                raise
        return run

    def _close(self, opened: _Run, error: BaseException | None) -> None:
        try:
            self._record(opened, error)
        finally:
            # Also when a signal's handler raises: the span would stay the current one.
            traces.end(opened.span, error)

    def _record(self, opened: _Run, error: BaseException | None) -> None:
        seconds = clock.elapsed() - opened.started
        result = "success" if _went_well(error) else "failure"
        if self._heartbeat is not None:
            pulse.stop(opened.active)
        ACTIVE.dec(job_name=self._name)
        RUNS.inc(job_name=self._name, result=result)
        DURATION.observe(seconds, job_name=self._name, result=result)
        if result == "success":
            LAST_SUCCESS.set(clock.now(), job_name=self._name)
        elif error is not None:
            self._report(error, seconds)

    def _report(self, error: BaseException, seconds: float) -> None:
        told = {"event": "job.failed", "job": self._name, "duration": round(seconds, 6)}
        if isinstance(error, Exception):
            crashes.unhandled(error, "job", "job failed", **told)
        else:
            # Ctrl-C, a cancelled task, an exit: somebody wanted it, and there is nothing to debug.
            logger.log.warning("job interrupted", **{**told, "reason": type(error).__name__})

    def _span_of(self, opened: _Run) -> live.Span | None:
        return opened.span

    def __enter__(self) -> ActiveRun:
        run = self._open()
        self._opened.append(run)
        return run.active

    async def __aenter__(self) -> ActiveRun:
        return self.__enter__()


def _went_well(error: BaseException | None) -> bool:
    """Tell whether a run that ended with `error` did its work: a generator may be left early, a script exit 0."""
    if isinstance(error, SystemExit):
        return error.code in (None, 0)
    return error is None or isinstance(error, GeneratorExit)


def job(name: str, *, heartbeat: float | None = None) -> Job:
    """Return a job for `with`, `async with` or as a decorator.

    As a block it is for one run at a time: make it where it is used. With `heartbeat` a thread notes
    every so many seconds that the process which runs the job lives; `beat()` of the block's run notes at
    any time that its work goes on. Raises `ConfigError` without a name and for a heartbeat that is no
    number of seconds above 0.
    """
    given: object = name
    if not isinstance(given, str) or not 0 < len(given) <= _NAME_LIMIT:
        raise ConfigError(f"job name: got {name!r}, expected text of 1 to {_NAME_LIMIT} characters")
    every: object = heartbeat
    if every is not None and (
        isinstance(every, bool) or not isinstance(every, (int, float)) or not 0 < every < math.inf
    ):
        raise ConfigError(f"job {name!r}: got heartbeat {heartbeat!r}, expected a number of seconds above 0")
    # The first failure of a job must count from zero, so both results exist before it.
    RUNS.prepare(job_name=name)
    return Job(name, heartbeat)
