"""Jobs: work by schedule or from a queue, with its runs counted, timed, traced and logged."""

from __future__ import annotations

from typing import NamedTuple

from obs.catalogue import jobs as signals
from obs.errors import ConfigError
from obs.runtime import clock, guard, live, logger, traces
from obs.runtime.instruments import counter, gauge, histogram
from obs.runtime.traces import ActiveSpan, Block

RUNS = counter(signals.RUNS)
DURATION = histogram(signals.DURATION)
LAST_SUCCESS = gauge(signals.LAST_SUCCESS)
ACTIVE = gauge(signals.ACTIVE)
_NAME_LIMIT = 128


class _Run(NamedTuple):
    started: float
    span: live.Span | None


class Job(Block):
    """A job: `with`, `async with` or a decorator; an error is counted, logged with its stack, and passes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def _open(self) -> _Run:
        # The first failure of a job must count from zero, so both results exist before it.
        RUNS.prepare(job_name=self._name)
        ACTIVE.inc(job_name=self._name)
        return _Run(clock.elapsed(), traces.start(f"job {self._name}", "internal", {"job.name": self._name}))

    def _close(self, opened: _Run, error: BaseException | None) -> None:
        seconds = clock.elapsed() - opened.started
        result = "failure" if error is not None and not isinstance(error, GeneratorExit) else "success"
        ACTIVE.dec(job_name=self._name)
        RUNS.inc(job_name=self._name, result=result)
        DURATION.observe(seconds, job_name=self._name, result=result)
        if result == "success":
            LAST_SUCCESS.set(clock.now(), job_name=self._name)
        else:
            logger.log.error(
                "job failed", event="job.failed", job=self._name, duration=round(seconds, 6), exc_info=error
            )
        traces.end(opened.span, error)

    def __enter__(self) -> ActiveSpan:
        run = self._open()
        self._opened.append(run)
        return ActiveSpan(run.span)

    async def __aenter__(self) -> ActiveSpan:
        return self.__enter__()


def job(name: str) -> Job:
    """Return a job for `with`, `async with` or as a decorator.

    As a block it is for one run at a time: make it where it is used. Raises `ConfigError` without
    a name.
    """
    given: object = name
    if not isinstance(given, str) or not 0 < len(given) <= _NAME_LIMIT:
        raise ConfigError(f"job name: got {name!r}, expected text of 1 to {_NAME_LIMIT} characters")
    created = Job(name)
    with guard.contained("metrics"):
        RUNS.prepare(job_name=name)
    return created
