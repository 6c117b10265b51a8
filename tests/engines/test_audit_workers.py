"""Audit and error events under real servers with workers: whole chains, the caller's address, nothing lost."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engines import tied

from obs.stack.ports import free

pytestmark = pytest.mark.engines

_REQUESTS = 120
_APP = """
import obs
from flask import Flask
obs.init("shop", audit_file="audit.log", audit_key_file="audit.key", audit_anchor_every=10)
obs.audit("ADMIN_ACTION", "start", actor="main")
app = Flask(__name__)
@app.get("/orders/<order>")
def place(order):
    obs.audit("ORDER", f"order/{order}", actor="user-42", token="hunter2xyz", before={"n": 1}, after={"n": 2})
    if order.endswith("7"):
        raise ValueError("password=hunter2xyz")
    return order
obs.instrument(app)
"""


def _get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers={"User-Agent": "audit-test/1"})
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def _serving(folder: Path, *options: str) -> Iterator[int]:
    port = free()
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}
    command = [sys.executable, "-m", "gunicorn", "app:app", "-b", f"127.0.0.1:{port}", "-w", "3", *options]
    with (
        (folder / "out").open("wb") as out,
        (folder / "err").open("wb") as err,
        tied.serving(command, cwd=folder, env=kept, stdout=out, stderr=err),
    ):
        ends = time.monotonic() + 60
        while True:
            try:
                _get(port, "/live")
                break
            except OSError:
                assert time.monotonic() < ends, (folder / "err").read_text()
                time.sleep(0.1)
        yield port


@pytest.mark.parametrize(
    "options", [(), ("--preload",), ("--threads", "4")], ids=["plain", "preload", "threads"]
)
def test_the_chains_of_all_workers_are_whole(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "app.py").write_text(_APP)
    key = tmp_path / "audit.key"
    key.write_text("k" * 40)
    key.chmod(0o400)
    with _serving(tmp_path, *options) as port, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: _get(port, f"/orders/{number}"), range(_REQUESTS)))
    assert sorted(set(answers)) == [200, 500]

    command = [
        sys.executable,
        "-m",
        "obs",
        "audit",
        "verify",
        "audit.log",
        "--key-file",
        "audit.key",
        "--format",
        "json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert (done.returncode, report["problems"], report["unchecked"]) == (0, [], [])
    assert all(chain["closed"] and chain["signed"] for chain in report["chains"])
    records = [json.loads(line) for line in (tmp_path / "audit.log").read_text().splitlines()]
    orders = [item for item in records if item.get("action") == "ORDER"]
    assert sorted(item["resource"] for item in orders) == sorted(
        f"order/{number}" for number in range(_REQUESTS)
    )
    assert {(item["client"]["address"], item["client"]["user_agent"]) for item in orders} == {
        ("127.0.0.1", "audit-test/1")
    }
    assert all(item["request_id"] and item["trace_id"] for item in orders)
    # The exceptions are told once each, with their stack and without the secret.
    output = (tmp_path / "out").read_text() + (tmp_path / "audit.log").read_text()
    assert "hunter2xyz" not in output
    lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    crashes = [line for line in lines if "exception" in line]
    assert len(crashes) == answers.count(500)
