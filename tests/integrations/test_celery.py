"""Celery in one process: tasks published to memory and run by a worker of a thread, or run at once."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Reject, TimeLimitExceeded, WorkerLostError

import obs

Values = Callable[..., dict[tuple[str, ...], float]]
Lines = Callable[[], list[dict[str, Any]]]
_RUNS = ("task_runs_total", "task_name", "outcome")

seen: list[Any] = []


def settle(order: str) -> str:
    seen.append(obs.ids())
    obs.log.info("settled", order=order)
    return order


def break_down() -> None:
    raise ValueError("kaputt")


def expected() -> None:
    raise KeyError("gone")


def again(task: Any) -> None:
    if not task.request.retries:
        raise task.retry(countdown=0)


def make_app() -> Any:
    app: Any = Celery("shop", broker="memory://", backend="cache+memory://")
    # How long it sleeps between two looks is what a test would wait for.
    app.conf.update(
        broker_connection_retry_on_startup=False, broker_transport_options={"polling_interval": 0.01}
    )
    obs.instrument(app)
    obs.instrument(app)

    app.task(settle, shared=False, name="settle")
    app.task(break_down, shared=False, name="break")
    app.task(expected, shared=False, name="expected", throws=(KeyError,))
    app.task(again, shared=False, name="again", bind=True, max_retries=1)
    return app


@pytest.fixture
def app() -> Any:
    """An application whose tasks run at once, where they are called."""
    seen.clear()
    made = make_app()
    made.conf.task_always_eager = True
    return made


@pytest.fixture
def queued() -> Iterator[Any]:
    """An application with a worker in a thread of this process."""
    seen.clear()
    made = make_app()
    obs.init("shop", access_log=False)
    with start_worker(made, perform_ping_check=False, pool="solo"):
        yield made


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what a worker counts after it has stored the result, which its sender has by then."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def positive(found: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """Return the series that have counted something: the others stand at zero beside them."""
    return {key: value for key, value in found.items() if value}


def test_runs_are_counted_by_task_and_outcome(app: Any, values: Values) -> None:
    obs.init("shop")
    app.tasks["settle"].delay("o-1")
    app.tasks["break"].delay()
    app.tasks["again"].delay()
    wanted = {
        ("settle", "success"): 1,
        ("break", "failure"): 1,
        ("again", "retry"): 1,
        ("again", "success"): 1,
    }
    assert positive(values(*_RUNS)) == wanted
    assert values("task_duration_seconds_count", "task_name", "outcome") == wanted
    assert set(values("task_active_runs", "task_name").values()) == {0}


def test_the_first_failure_of_a_task_counts_from_zero(app: Any, values: Values) -> None:
    obs.init("shop")
    app.tasks["settle"].delay("o-1")
    assert values(*_RUNS)["settle", "failure"] == 0


def test_a_failure_is_one_line_with_its_stack_inside_the_trace(
    app: Any, values: Values, lines: Lines
) -> None:
    obs.init("shop")
    app.tasks["break"].delay()
    (line,) = [line for line in lines() if "exception" in line]
    assert (line["message"], line["task"], line["event"]) == ("task break failed", "break", "task.failed")
    assert "kaputt" in line["exception"]
    assert line["trace_id"]
    assert values("exceptions_unhandled_total", "mechanism")["task",] == 1


def test_an_error_that_a_task_declares_is_a_failure_and_no_alarm(app: Any, values: Values) -> None:
    obs.init("shop")
    app.tasks["expected"].delay()
    assert positive(values(*_RUNS)) == {("expected", "failure"): 1}
    assert values("exceptions_unhandled_total", "mechanism")["task",] == 0


def test_a_run_whose_process_has_gone_is_a_failure_told_once(app: Any, values: Values, lines: Lines) -> None:
    obs.init("shop")
    task = app.tasks["settle"]
    task_ids = [str(uuid.uuid4()) for _ in range(2)]
    for error, task_id in zip((WorkerLostError("signal 9"), TimeLimitExceeded(1)), task_ids, strict=True):
        # A worker says this outside of the run, and of a time limit twice, each time with a new error.
        for said in (error, type(error)(1)):
            signals.task_failure.send(sender=task, task_id=task_id, exception=said)
    assert positive(values(*_RUNS)) == {("settle", "failure"): 2}
    assert values("exceptions_unhandled_total", "mechanism")["task",] == 2
    assert [line["task_id"] for line in lines()] == task_ids


def test_a_message_that_a_task_refuses_is_rejected_and_no_alarm(
    app: Any, values: Values, lines: Lines
) -> None:
    obs.init("shop")
    signals.task_failure.send(
        sender=app.tasks["settle"], task_id="t-1", exception=Reject("no", requeue=False)
    )
    assert values("exceptions_unhandled_total", "mechanism")["task",] == 0
    assert lines() == []


def test_a_task_that_runs_at_once_stays_in_the_trace_and_request_of_its_caller(app: Any) -> None:
    obs.init("shop")
    with obs.extract({"x-request-id": "req-7"}), obs.span("outer"):
        here = obs.ids()
        app.tasks["settle"].delay("o-1")
        assert obs.ids() == here
    assert (seen[0].trace_id, seen[0].request_id) == (here.trace_id, "req-7")
    assert seen[0].span_id != here.span_id


def test_the_lines_of_a_run_name_it_and_a_run_of_nobodys_request_has_an_id_of_its_own(
    app: Any, lines: Lines
) -> None:
    obs.init("shop")
    task_id = app.tasks["settle"].delay("o-1").id
    line = next(line for line in lines() if line["message"] == "settled")
    assert (line["task"], line["task_id"]) == ("settle", task_id)
    assert line["request_id"] == seen[0].request_id != ""
    assert obs.ids().request_id == ""


def test_what_a_message_carried_before_is_not_published_again(app: Any) -> None:
    obs.init("shop")
    old = {
        "traceparent": "old",
        "tracestate": "old",
        "baggage": "old=1",
        "X-Request-ID": "old",
        "theirs": "kept",
    }
    signals.before_task_publish.send(sender="again", headers=old)
    assert set(old) == {"theirs", "obs_due_at"}


def test_before_init_a_task_just_runs(app: Any) -> None:
    assert app.tasks["settle"].delay("o-1").get() == "o-1"


def test_a_queued_task_continues_the_trace_and_its_worker_logs_through_us(
    queued: Any, values: Values, lines: Lines
) -> None:
    with obs.extract({"x-request-id": "req-7"}), obs.span("outer"):
        here = obs.ids()
        queued.tasks["settle"].delay("o-1").get(timeout=60)
        assert obs.ids() == here
    assert (seen[0].trace_id, seen[0].request_id) == (here.trace_id, "req-7")
    assert values("task_published_total", "task_name") == {("settle",): 1}
    assert values("task_queue_time_seconds_count", "task_name") == {("settle",): 1}
    # Otherwise Celery would have put handlers of its own on the root logger.
    logging.getLogger("celery.anything").warning("through the pipeline")
    messages = [line["message"] for line in lines()]
    assert messages.count("settled") == messages.count("through the pipeline") == 1


def test_a_retry_is_published_anew_and_what_is_not_yet_due_does_not_wait(queued: Any, values: Values) -> None:
    queued.tasks["again"].delay().get(timeout=60)
    queued.tasks["settle"].apply_async(("o-1",), countdown=4).get(timeout=60)
    assert values("task_published_total", "task_name") == {("again",): 2, ("settle",): 1}
    wanted = {("again", "retry"): 1, ("again", "success"): 1, ("settle", "success"): 1}
    eventually(lambda: positive(values(*_RUNS)) == wanted)
    assert values("task_queue_time_seconds_sum", "task_name")["settle",] < 4


def test_a_broker_that_is_gone_is_an_error_of_the_sender(values: Values, collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    app = Celery("shop", broker="amqp://127.0.0.1:1//")
    app.conf.broker_transport_options = {"max_retries": 0}
    obs.instrument(app)
    with pytest.raises(Exception, match="refused"):
        app.send_task("settle", retry=False)
    assert obs.flush(5)
    (span,) = collector.spans
    assert (span.name, span.kind, span.status.code) == ("send settle", 4, 2)
    assert positive(values("task_published_total", "task_name")) == {}
