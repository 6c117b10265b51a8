"""Log lines to a collector: as spans go there, and not to the stream as well."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime import setup, tally
from obs.runtime.otel import queue

Lines = Callable[[], list[dict[str, Any]]]


def attributes(record: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in record.attributes}


def test_a_line_arrives_as_a_record_with_its_ids_and_not_on_the_stream(collector: Any, lines: Lines) -> None:
    obs.init("shop", version="1.2", environment="test", otlp_endpoint=collector.url, otlp_logs="on")
    before = time.time_ns()
    with obs.span("work"), obs.bind(user_id=7):
        obs.get_logger("shop.basket").warning("basket left", items=[1, "two"], total=2.5, password="p")  # noqa: S106
        ids = obs.ids()
    assert obs.flush(30)
    assert lines() == []
    (record,) = collector.logs
    assert record.body.string_value == "basket left"
    assert (record.severity_number, record.severity_text) == (13, "WARNING")
    assert (record.trace_id.hex(), record.span_id.hex()) == (ids.trace_id, ids.span_id)
    # The line's clock counts microseconds.
    assert before - 1_000 <= record.time_unix_nano <= time.time_ns()
    assert record.observed_time_unix_nano == record.time_unix_nano
    told = attributes(record)
    assert (told["user_id"], told["total"], told["password"]) == (7, 2.5, "[redacted]")
    assert [item.int_value or item.string_value for item in told["items"].values] == [1, "two"]
    assert not {"service", "version", "environment", "level", "timestamp", "message"} & told.keys()


@pytest.mark.parametrize(
    ("level", "number"), [("debug", 5), ("info", 9), ("warning", 13), ("error", 17), ("critical", 21)]
)
def test_severities_are_those_of_the_protocol(level: str, number: int, collector: Any) -> None:
    obs.init("shop", log_level="debug", otlp_endpoint=collector.url, otlp_logs="on")
    getattr(obs.log, level)("x")
    assert obs.flush(30)
    assert [record.severity_number for record in collector.logs] == [number]


def test_the_resource_is_that_of_the_spans(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="on", resource={"region": "eu"})
    with obs.span("work"):
        obs.log.info("x")
    assert obs.flush(30)
    first, second = collector.resources
    assert first == second
    assert first["region"] == "eu"
    assert first["service.name"] == "shop"


def test_fields_of_the_conventions_have_their_names(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="on", log_location=True)
    try:
        raise ValueError("no")  # noqa: TRY301
    except ValueError:
        logging.getLogger("lib").exception("failed")
    assert obs.flush(30)
    told = attributes(collector.logs[0])
    assert "ValueError: no" in told["exception.stacktrace"]
    assert told["code.file.path"] == __file__
    assert told["code.function.name"].startswith("test_fields")
    assert told["code.line.number"] > 0


def test_both_means_both(collector: Any, lines: Lines) -> None:
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="both", log_format="json")
    obs.log.info("x")
    assert obs.flush(30)
    assert [line["message"] for line in lines()] == ["x"]
    assert collector.log_bodies() == ["x"]


def test_audit_events_stay_on_the_stream(collector: Any, lines: Lines) -> None:
    # A queue may drop what it holds; what was audited is written before the call is over.
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="on")
    obs.audit("LOGIN", "site", actor="bob")
    assert obs.flush(30)
    assert [line.get("action") for line in lines()] == [None, "LOGIN"]
    assert collector.log_bodies() == []


def test_by_default_nothing_goes_to_the_collector(collector: Any, lines: Lines) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    obs.log.info("x")
    assert obs.flush(30)
    assert collector.deliveries == []
    assert len(lines()) == 1
    assert "log export" not in obs.status().on


def test_without_an_endpoint_it_is_refused() -> None:
    with pytest.raises(ConfigError, match="no OTLP endpoint") as caught:
        obs.init("shop", otlp_logs="on")
    assert "otlp_endpoint" in str(caught.value.hint)
    assert not obs.status().running


def test_an_endpoint_of_its_own(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", f"{collector.url}/v1/logs")
    obs.init("shop", otlp_logs="on")
    obs.log.info("x")
    assert obs.flush(30)
    assert collector.log_bodies() == ["x"]
    assert "log export" in obs.status().on


def test_an_outage_is_told_on_the_stream_in_one_line_and_its_end_in_another(
    collector: Any, lines: Lines
) -> None:
    # Sent by the flush alone, which then knows what became of it.
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="on", export_interval=60, log_format="json")
    collector.status = 400
    for _ in range(5):
        obs.log.info("lost")
        assert not obs.flush(30)
    begun = lines()
    assert [line["level"] for line in begun] == ["warning"]
    assert "log lines cannot be delivered" in begun[0]["message"]
    collector.status = 200
    obs.log.info("seen")
    assert obs.flush(30)
    assert "again" in " ".join(line["message"] for line in lines())
    assert "seen" in collector.log_bodies()
    assert "lost" not in collector.log_bodies()
    assert sum(tally.counts("logs_dropped").values()) >= 5


def test_memory_is_bounded_while_nobody_answers(collector: Any) -> None:
    collector.behaviour = collector.behaviour._replace(fault="silent")
    obs.init(
        "shop", otlp_endpoint=collector.url, otlp_logs="on", log_queue=10, span_batch=5, log_repeat_limit=0
    )
    for _ in range(1_000):
        obs.log.info("x")
    assert tally.count("logs_dropped", "queue_full") >= 980
    began = time.monotonic()
    assert not obs.shutdown(0.3)
    assert time.monotonic() - began < 5


def test_what_utf_8_cannot_express_costs_no_other_line(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="on")
    obs.log.info("good")
    obs.log.info("a\udcff", **{"k\udcff": "v\udcff", "nested": {"n\udcff": ["x\udcff"]}})
    obs.log.info("nothing", value=None, deep={"a": {"b": [True, None]}})
    assert obs.flush(30)
    assert collector.log_bodies() == ["good", "a\\udcff", "nothing"]


def test_a_forked_child_sends_its_own_lines_and_not_its_parents(
    collector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long it takes to send what waits at a fork: what is cut off there is sent a second time.
    monkeypatch.setattr(queue, "_FORK_SEND", 60)
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="on")
    obs.log.info("parent")
    child = os.fork()
    if not child:
        obs.log.info("child")
        os._exit(0 if obs.flush(30) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert obs.flush(30)
    assert sorted(collector.log_bodies()) == ["child", "parent"]
    assert len({resource["service.instance.id"] for resource in collector.resources}) == 2


def test_a_child_forked_during_an_outage_sends_its_own_lines_alone_and_by_itself(collector: Any) -> None:
    collector.status = 503
    obs.init("shop", otlp_endpoint=collector.url, otlp_logs="on", export_interval=0.01)
    obs.log.info("parent")
    assert not obs.flush(0.1)
    child = os.fork()
    if not child:
        own = setup._LOGS._queue
        ends = time.monotonic() + 30
        if own is not None and not own._waiting and not own._in_hand:
            obs.log.info("child")
            while (own._waiting or own._in_hand) and time.monotonic() < ends:
                time.sleep(0.01)
            os._exit(0 if time.monotonic() < ends else 2)
        os._exit(1)
    # Not before: what is on its way at a fork is cut off there, and sent a second time.
    collector.status = 200
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert obs.flush(10)
    assert sorted(collector.log_bodies()) == ["child", "parent"]


def test_what_waits_at_exit_is_sent(collector: Any) -> None:
    code = (
        f"import obs; obs.init('shop', otlp_endpoint={collector.url!r}, otlp_logs='on'); obs.log.info('last')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert collector.log_bodies() == ["last"]


def test_init_loads_neither_the_protocol_nor_the_exporter() -> None:
    code = (
        "import json, sys, obs; obs.init('shop', otlp_endpoint='http://127.0.0.1:9', otlp_logs='on')\n"
        "print(json.dumps([m for m in sys.modules if m.startswith(('google', 'opentelemetry.proto', "
        "'opentelemetry.exporter'))]))\n"
        "obs.shutdown(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[0]) == []
