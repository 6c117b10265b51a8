"""Lines of files: as the SDK writes them, broken, written slowly, rotated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engines.collector.conftest import Pipeline
from tests.engines.waiting import await_

pytestmark = pytest.mark.engines

#: A service of the SDK; its lines go to standard output.
_SERVICE = """
import obs
obs.init("written", environment="test", version="1.2.3", log_location=True)
with obs.bind(tenant="blue"), obs.span("work"):
    obs.log.info("first {braces}", event="order.placed", amount=12345678, ratio=0.125, ok=True, items=["a", "b"])
    print(obs.ids().trace_id, obs.ids().span_id, file=__import__("sys").stderr)
try:
    raise ValueError("wrong")
except ValueError:
    obs.get_logger("app.db").error("failed", exc_info=True)
obs.shutdown()
"""


def _append(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _texts(pipeline: Pipeline, service: str) -> list[str]:
    return sorted(text for _, text in pipeline.lines(f'{{service="{service}"}}'))


def test_every_field_of_the_sdk_arrives_under_its_own_name(pipeline: Pipeline) -> None:
    with (pipeline.collector.logs / "written.log").open("ab") as file:
        done = subprocess.run(
            [sys.executable, "-c", _SERVICE],
            stdout=file,
            stderr=subprocess.PIPE,
            check=True,
            env={**os.environ, "OBS_LOG_FORMAT": "json"},
        )
    trace_id, span_id = done.stderr.decode().split()[:2]
    written = {
        line["message"]: line
        for line in map(json.loads, (pipeline.collector.logs / "written.log").read_text().splitlines())
    }
    await_(lambda: len(_texts(pipeline, "written")) == len(written), "both lines are in Loki")
    found = {text: fields for fields, text in pipeline.lines('{service="written", environment="test"}')}
    first = found["first {braces}"]
    assert (first["trace_id"], first["span_id"]) == (trace_id, span_id)
    assert (first["level"], first["event"], first["tenant"]) == ("info", "order.placed", "blue")
    # Numbers are written as they were, not as floating point.
    assert (first["amount"], first["ratio"], first["ok"]) == ("12345678", "0.125", "true")
    assert found["failed"]["exception"] == written["failed"]["exception"]
    assert found["failed"]["logger"] == "app.db"
    for text, line in written.items():
        missing = set(line) - set(found[text]) - {"timestamp", "message"}
        assert not missing, text
        assert found[text]["version"] == "1.2.3"
    query = f'{{service="written"}} | trace_id="{trace_id}" | level="info"'
    assert [text for _, text in pipeline.lines(query)] == ["first {braces}"]


def test_lines_that_are_no_json_are_kept_as_they_are_under_the_name_of_the_file(pipeline: Pipeline) -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "app.py", line 1, in <module>',
        "ValueError: wrong",
        '{"broken": "jso',
        '{"level": "info", "message": ["no", "text"]}',
        "[1, 2, 3]",
        "null",
        "{}",
        '{"timestamp": "yesterday", "level": "LOUD", "trace_id": "xyz", "service": {"no": "name"}}',
    ]
    _append(pipeline.collector.logs / "plain.log", *lines)
    await_(
        lambda: len(_texts(pipeline, "plain")) == len(lines),
        "every line is in Loki",
        instead=lambda: _texts(pipeline, "plain"),
    )
    assert _texts(pipeline, "plain") == sorted(lines)


def test_a_line_written_in_two_halves_is_one_line(pipeline: Pipeline) -> None:
    path = pipeline.collector.logs / "halves.log"
    line = json.dumps({"level": "info", "service": "halves", "message": "whole"})
    with path.open("a", encoding="utf-8", buffering=1) as file:
        file.write(line[:20])
        file.flush()
        # Another file's line is through: the first half was seen.
        _append(pipeline.collector.logs / "witness.log", "seen")
        await_(lambda: bool(_texts(pipeline, "witness")), "the other file was read")
        file.write(f"{line[20:]}\n")
    await_(lambda: bool(_texts(pipeline, "halves")), "the line is in Loki")
    assert _texts(pipeline, "halves") == ["whole"]


def test_rotation_by_rename_and_by_copy_loses_and_doubles_nothing(pipeline: Pipeline) -> None:
    path = pipeline.collector.logs / "rotated.log"
    older = path.with_name("rotated.log.1")
    lines = [
        json.dumps({"service": "rotated", "level": "info", "message": f"line {n:04}"}) for n in range(1_200)
    ]
    # By rename: the writer goes on with the old file for a while.
    _append(path, *lines[:300])
    path.rename(older)
    _append(older, *lines[300:600])
    _append(path, *lines[600:900])
    await_(
        lambda: len(_texts(pipeline, "rotated")) >= 900,
        "what was renamed is in Loki",
        instead=lambda: len(_texts(pipeline, "rotated")),
    )
    # By copy, as for a writer whose output is redirected (>>).
    older.write_bytes(path.read_bytes())
    os.truncate(path, 0)
    _append(path, *lines[900:])
    await_(
        lambda: len(_texts(pipeline, "rotated")) >= 1_200,
        "what followed the copy is in Loki",
        instead=lambda: len(_texts(pipeline, "rotated")),
    )
    assert _texts(pipeline, "rotated") == [f"line {n:04}" for n in range(1_200)]
