"""Celery: tasks where they are published and where they run, by Celery's own signals."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import ExitStack
from datetime import datetime
from functools import wraps
from typing import Any

from obs.catalogue import tasks
from obs.errors import MissingExtra
from obs.runtime import clock, context, crashes, draining, guard, live, setup, traces
from obs.runtime.instruments import counter, gauge, histogram

PUBLISHED = counter(tasks.PUBLISHED)
RUNS = counter(tasks.RUNS)
DURATION = histogram(tasks.DURATION)
QUEUE_TIME = histogram(tasks.QUEUE_TIME)
ACTIVE = gauge(tasks.ACTIVE)

_MARK = "_obs_instrumented"
_RUN = "_obs_run"
#: Header with the time, in seconds since the Unix epoch, from which a worker could have taken the task.
_DUE = "obs_due_at"
_CARRIED = ("traceparent", "tracestate", "baggage", "X-Request-ID")
_OUTCOMES = {
    "SUCCESS": "success",
    "FAILURE": "failure",
    "RETRY": "retry",
    "IGNORED": "ignored",
    "REJECTED": "rejected",
}
#: The name of a task that no worker knows: a sender may invent any.
_UNMATCHED = "unmatched"
_connected = False
#: Whether this is a process of a worker's pool.
_in_pool = False
#: Runs of which a worker has told lately that their process is gone.
_lost: deque[str] = deque(maxlen=256)


def instrument(app: Any) -> None:
    """Instrument a `Celery` application; a second time is harmless.

    Call it in the module that makes the application, so that workers do as well. Raises `MissingExtra`
    when Celery is not installed.
    """
    if getattr(app, _MARK, False):
        return
    setattr(app, _MARK, True)
    app.send_task = _observed_send(app.send_task)
    _connect()


def _connect() -> None:
    """Connect to the signals, which are Celery's and not one application's."""
    global _connected
    if _connected:
        return
    try:
        from celery import signals
    except ModuleNotFoundError:
        raise MissingExtra("the Celery integration", "celery", "celery") from None
    # Celery holds receivers weakly unless told otherwise.
    for signal, receiver in (
        (signals.before_task_publish, _before_publish),
        (signals.task_prerun, _started),
        (signals.task_failure, _failed),
        (signals.task_postrun, _ended),
        (signals.task_revoked, _revoked),
        (signals.task_unknown, _unknown),
        (signals.worker_init, _begins),
        (signals.worker_shutting_down, _ends),
        (signals.worker_process_init, _enters_pool),
        (signals.worker_process_shutdown, _flush),
        (signals.worker_shutdown, _flush),
        (signals.setup_logging, _set_up_logging),
    ):
        signal.connect(receiver, weak=False)
    _connected = True


def _observed_send(send: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(send)
    def observed(name: str, *args: Any, **kwargs: Any) -> Any:
        told = {"messaging.system": "celery", "messaging.operation.type": "send", "task.name": name}
        span = traces.start(f"send {name}", "producer", told)
        try:
            result = send(name, *args, **kwargs)
        except BaseException as error:
            traces.end(span, error)
            raise
        with guard.contained("integration"):
            PUBLISHED.series((name,)).inc()
            if span is not None:
                span.set({"messaging.message.id": str(getattr(result, "id", ""))})
        traces.end(span, None)
        return result

    return observed


def _before_publish(headers: MutableMapping[str, Any] | None = None, **_: Any) -> None:
    with guard.contained("integration"):
        if headers is None or live.settings() is None:
            return
        # A retry is published with the headers of the run before, whose ids are not its own.
        for name in _CARRIED:
            headers.pop(name, None)
        headers.update(context.inject({}))
        headers[_DUE] = max(clock.now(), _timestamp(headers.get("eta")))


def _timestamp(eta: object) -> float:
    if not isinstance(eta, str):
        return 0.0
    try:
        return datetime.fromisoformat(eta.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


class _Run:
    """One run of a task, from before its body to after it."""

    def __init__(self, task: Any, task_id: str) -> None:
        self.name = str(task.name)
        self._start = clock.elapsed()
        self._undo = ExitStack()
        self.error: BaseException | None = None
        request = task.request
        ACTIVE.series((self.name,)).inc()
        RUNS.prepare(task_name=self.name)
        carried = _carried(request)
        if carried:
            # An eager task runs where it is called, and carries nothing.
            self._undo.enter_context(context.extract(carried))
        if not context.request_id.get():
            self._undo.callback(context.leave, context.request_id.set(context.new_request_id()))
        self.span = traces.start(f"process {self.name}", "consumer", _attributes(request, self.name, task_id))
        self._undo.enter_context(context.bind(task=self.name, task_id=task_id))
        due = request.get(_DUE)
        if isinstance(due, (int, float)):
            # The clocks of two machines differ.
            QUEUE_TIME.series((self.name,)).observe(max(0.0, clock.now() - due))

    def end(self, state: str | None) -> None:
        seconds = clock.elapsed() - self._start
        outcome = _OUTCOMES.get(str(state), "failure")
        with guard.contained("integration"):
            ACTIVE.series((self.name,)).inc(-1)
            if state is not None or not _in_pool:
                # Without a state this process is being ended: the worker counts that, killed or not.
                RUNS.series((self.name, outcome)).inc()
            DURATION.series((self.name, outcome)).observe(seconds)
            if self.span is not None:
                self.span.set({"task.outcome": outcome})
                if outcome == "failure" and self.error is None:
                    self.span.fail(None, "failure")
        # What was entered last is left first, so the span stays inside of the context that it continues.
        bound = self._undo.pop_all()
        traces.end(self.span, self.error)
        with guard.contained("integration"):
            bound.close()


def _carried(request: Any) -> Mapping[str, str]:
    found = ((name, request.get(name)) for name in _CARRIED)
    return {name: value for name, value in found if isinstance(value, str)}


def _attributes(request: Any, name: str, task_id: str) -> dict[str, Any]:
    delivery = request.get("delivery_info") or {}
    found = {
        "messaging.system": "celery",
        "messaging.operation.type": "process",
        "messaging.destination.name": delivery.get("routing_key"),
        "messaging.message.id": task_id,
        "task.name": name,
        "task.retries": request.get("retries"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _started(task_id: str = "", task: Any = None, **_: Any) -> None:
    with guard.contained("integration"):
        setattr(task.request, _RUN, _Run(task, task_id))


def _is(error: BaseException, name: str) -> bool:
    """Tell whether `error` is Celery's or billiard's error of that name."""
    return any(
        kind.__name__ == name and kind.__module__.startswith(("celery.", "billiard."))
        for kind in type(error).__mro__
    )


def _is_told_first(task_id: str) -> bool:
    """Tell whether this is the first that the worker says of a run it has lost; it says some twice."""
    if task_id in _lost:
        return False
    _lost.append(task_id)
    return True


def _failed(sender: Any = None, task_id: str = "", exception: Any = None, **_: Any) -> None:
    with guard.contained("integration"):
        # A task that refuses its message has said how it ends; a worker calls that a failure besides.
        if not isinstance(exception, BaseException) or _is(exception, "Reject"):
            return
        run = getattr(sender.request, _RUN, None)
        if run is not None:
            run.error = exception
        elif not _is_told_first(task_id):
            return
        elif _is(exception, "WorkerLostError") or _is(exception, "TimeLimitExceeded"):
            # The process of the run is gone, and with it what it would have counted.
            RUNS.series((str(sender.name), "failure")).inc()
        if not isinstance(exception, tuple(getattr(sender, "throws", ()) or ())):
            crashes.unhandled(
                exception, "task", f"task {sender.name} failed",
                event="task.failed", task=sender.name, task_id=task_id,
            )  # fmt: skip


def _ended(task: Any = None, state: Any = None, **_: Any) -> None:
    with guard.contained("integration"):
        run = getattr(task.request, _RUN, None)
        if run is not None:
            setattr(task.request, _RUN, None)
            run.end(state)


def _enters_pool(**_: Any) -> None:
    global _in_pool
    _in_pool = True


def _revoked(sender: Any = None, **_: Any) -> None:
    with guard.contained("integration"):
        RUNS.series((str(sender.name), "revoked")).inc()


def _unknown(**_: Any) -> None:
    with guard.contained("integration"):
        RUNS.series((_UNMATCHED, "rejected")).inc()


def _begins(**_: Any) -> None:
    draining.end()


def _ends(**_: Any) -> None:
    # A warm shutdown lets tasks finish, which may take as long as they do.
    draining.begin()


def _flush(**_: Any) -> None:
    # A prefork child leaves by os._exit, past every atexit handler.
    with guard.contained("integration"):
        setup.flush()


def _set_up_logging(**given: Any) -> None:
    """Keep Celery from replacing the handlers of the root logger; without our log pillar, let it."""
    settings = live.settings()
    if settings is not None and settings.logs:
        return
    with guard.contained("integration"):
        from celery import current_app, signals

        log = current_app.log
        signals.setup_logging.disconnect(_set_up_logging)
        try:
            log.already_setup = False
            wanted = {name: given.get(name) for name in ("loglevel", "logfile", "format", "colorize")}
            log.setup_logging_subsystem(**wanted)
        finally:
            signals.setup_logging.connect(_set_up_logging, weak=False)
