"""What was taken before `down` is there after `up`, and what was acknowledged survives a crash."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engines.backends.running import Backends

pytestmark = pytest.mark.engines

RESOURCE = {"service": "keeper", "environment": "local"}
LINES = 500


def _crash(backends: Backends, name: str) -> None:
    os.kill(backends.running[name].pid, signal.SIGKILL)
    backends.stop(name)


def test_samples_lines_and_silences_survive_stop_and_start_and_a_crash(backends: Backends) -> None:
    now = time.time()
    job = RESOURCE | {"service.name": "keeper", "service.instance.id": "one"}
    assert backends.push_counter(job, "kept.runs", at=now, born=now - 5, point={})[0] == 200
    records = [
        {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": f"line {n}"}} for n in range(LINES)
    ]
    assert backends.push_logs(RESOURCE, *records)[0] == 204
    silence = {
        "matchers": [{"name": "service", "value": "keeper", "isRegex": False}],
        "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "endsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600)),
        "createdBy": "a test",
        "comment": "kept",
    }
    posted, _ = backends.ask(backends.url("alertmanager") + "/api/v2/silences", json.dumps(silence).encode())
    assert posted == 200

    servers = ("alertmanager", "loki", "prometheus")
    backends.stop(*servers)
    backends.start(*servers)

    assert _kept(backends) == (1, LINES)
    assert [one["comment"] for one in backends.json("alertmanager", "/api/v2/silences")] == ["kept"]

    for name in ("loki", "prometheus"):
        _crash(backends, name)
    backends.start("loki", "prometheus")

    assert _kept(backends) == (1, LINES)


def _kept(backends: Backends) -> tuple[int, int]:
    samples = backends.query('last_over_time(kept_runs_total{service="keeper"}[1h])')
    lines = {line for stream in backends.lines('{service="keeper"}') for _, line in stream["values"]}
    return len(samples), len(lines)
