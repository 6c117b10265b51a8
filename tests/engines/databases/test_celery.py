"""Celery with a real Redis as broker and real prefork workers."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from tests.engines import tied

import obs
from obs.stack.ports import free

pytestmark = pytest.mark.engines

Lines = Callable[[], list[dict[str, Any]]]

APP = """
import os
import time
from celery import Celery
from celery.exceptions import Reject
import obs

obs.init("worker", export_interval=60)
if os.environ.get("SERVE_AT"):
    obs.serve(int(os.environ["SERVE_AT"]))
app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
obs.instrument(app)


@app.task
def settle(order):
    obs.log.info("settled", order=order)
    return obs.ids().request_id


@app.task
def break_down():
    raise ValueError("kaputt")


@app.task(bind=True, max_retries=1)
def again(self):
    if not self.request.retries:
        raise self.retry(countdown=0)


@app.task
def vanish():
    os._exit(3)


@app.task(time_limit=1)
def linger():
    while True:
        time.sleep(0.1)


@app.task
def refuse():
    raise Reject("no", requeue=False)
"""


class Worker:
    """A worker of its own process, and the lines that it writes."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def await_line(self, message: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while True:
            for line in self.lines():
                if line["message"].startswith(message):
                    return line
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def start_worker(tmp_path: Path, redis_server: int, collector: Any) -> Iterator[Callable[..., Worker]]:
    (tmp_path / "shop_worker.py").write_text(APP)
    servers, logs = contextlib.ExitStack(), itertools.count()

    def start(*options: str, children: int = 1, **variables: str) -> Worker:
        log = tmp_path / f"worker-{next(logs)}.log"
        argv = [
            sys.executable, "-m", "celery", "-A", "shop_worker", "worker", "--loglevel", "INFO",
            "-c", str(children), "--without-gossip", "--without-mingle", *options,
        ]  # fmt: skip
        with log.open("w") as output:
            environment = {
                **os.environ, "BROKER": f"redis://127.0.0.1:{redis_server}/0", "PYTHONPATH": str(tmp_path),
                "OBS_OTLP_ENDPOINT": collector.url, **variables,
            }  # fmt: skip
            serving = tied.serving(
                argv, stdout=output, stderr=subprocess.STDOUT, cwd=tmp_path, env=environment
            )
            worker = Worker(servers.enter_context(serving), log)
        worker.await_line("celery@")
        return worker

    with servers:
        yield start


@pytest.fixture
def sender(redis_server: int) -> Celery:
    broker = f"redis://127.0.0.1:{redis_server}/0"
    app = Celery("sender", broker=broker, backend=broker)
    obs.instrument(app)
    return app


def test_one_trace_leads_from_the_request_through_the_queue_into_the_task(
    start_worker: Callable[..., Worker], sender: Celery, collector: Any
) -> None:
    worker = start_worker()
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.extract({"x-request-id": "req-7"}), obs.span("request"):
        trace = obs.ids().trace_id
        result = sender.send_task("shop_worker.settle", ["o-1"])
        assert result.get(timeout=60) == "req-7"
    assert obs.flush(30)
    worker.stop()
    spans = {span.name: span for span in collector.spans}
    sent, processed = spans["send shop_worker.settle"], spans["process shop_worker.settle"]
    assert {sent.trace_id.hex(), processed.trace_id.hex()} == {trace}
    assert (processed.parent_span_id, sent.kind, processed.kind) == (sent.span_id, 4, 5)
    line = worker.await_line("settled")
    assert (line["trace_id"], line["request_id"], line["task"]) == (trace, "req-7", "shop_worker.settle")


def test_ten_tasks_in_ten_short_lived_children_deliver_ten_spans(
    start_worker: Callable[..., Worker], sender: Celery, collector: Any
) -> None:
    # Celery replaces a child that has ended only every few seconds.
    worker = start_worker("--max-tasks-per-child", "1", children=5)
    for result in [sender.send_task("shop_worker.settle", [number]) for number in range(10)]:
        result.get(timeout=60)
    worker.stop()
    assert collector.names().count("process shop_worker.settle") == 10


def test_a_failure_is_one_line_with_its_stack_and_a_retry_is_none(
    start_worker: Callable[..., Worker], sender: Celery
) -> None:
    worker = start_worker()
    with pytest.raises(ValueError, match="kaputt"):
        sender.send_task("shop_worker.break_down").get(timeout=60)
    sender.send_task("shop_worker.again").get(timeout=60)
    worker.stop()
    stacks = [line for line in worker.lines() if "exception" in line]
    assert [(line["message"], line["level"]) for line in stacks] == [
        ("task shop_worker.break_down failed", "error")
    ]
    assert "kaputt" in stacks[0]["exception"]


def test_every_line_of_the_worker_is_json_of_ours(
    start_worker: Callable[..., Worker], sender: Celery
) -> None:
    worker = start_worker()
    sender.send_task("shop_worker.settle", ["o-1"]).get(timeout=60)
    worker.stop()
    assert worker.await_line("Task shop_worker.settle")["logger"].startswith("celery.")
    assert len({line["message"] for line in worker.lines() if line["message"] == "settled"}) == 1


def test_runs_of_prefork_children_are_scraped_from_the_worker(
    start_worker: Callable[..., Worker], sender: Celery
) -> None:
    obs.init("shop")
    port = free()
    worker = start_worker(SERVE_AT=str(port))
    for number in range(3):
        sender.send_task("shop_worker.settle", [number]).get(timeout=60)
    with pytest.raises(ValueError, match="kaputt"):
        sender.send_task("shop_worker.break_down").get(timeout=60)
    wanted = {
        'task_runs_total{outcome="success",task_name="shop_worker.settle"} 3.0',
        'task_runs_total{outcome="failure",task_name="shop_worker.break_down"} 1.0',
        'task_queue_time_seconds_count{task_name="shop_worker.settle"} 3.0',
    }
    deadline, seen = time.monotonic() + 60, set[str]()
    while not wanted <= seen and time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            seen = set(answer.read().decode().splitlines())
        time.sleep(0.1)
    assert wanted <= seen, sorted(line for line in seen if line.startswith("task_") and "_bucket" not in line)
    worker.stop()


def test_a_run_whose_process_is_lost_counts_as_one_failure_with_one_line(
    start_worker: Callable[..., Worker], sender: Celery
) -> None:
    obs.init("shop")
    port = free()
    worker = start_worker(SERVE_AT=str(port))
    for name in ("refuse", "vanish", "linger"):
        sender.send_task(f"shop_worker.{name}")
    wanted = {
        'task_runs_total{outcome="rejected",task_name="shop_worker.refuse"} 1.0',
        'task_runs_total{outcome="failure",task_name="shop_worker.vanish"} 1.0',
        'task_runs_total{outcome="failure",task_name="shop_worker.linger"} 1.0',
        'exceptions_unhandled_total{mechanism="task"} 2.0',
    }
    worker.await_line("Hard time limit")
    deadline, seen = time.monotonic() + 60, set[str]()
    while not wanted <= seen and time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            seen = set(answer.read().decode().splitlines())
        time.sleep(0.1)
    assert wanted <= seen, sorted(line for line in seen if line.startswith(("task_runs", "exceptions")))
    worker.stop()
    told = [line["task"] for line in worker.lines() if line.get("event") == "task.failed"]
    assert sorted(told) == ["shop_worker.linger", "shop_worker.vanish"]
