"""Audit events around a fork: each process has a chain of its own, and nobody waits for a thread that is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from obs.runtime.events.keys import read_key
from obs.runtime.events.segments import Place
from obs.runtime.events.verify import Report, Verifier


def verified(path: Path, key: str = "") -> Report:
    verifier = Verifier(read_key(key))
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        verifier.feed(Place(path.name, number), line)
    return verifier.finish()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


_FORK = """
import os, sys, obs
obs.init("shop", audit_file=sys.argv[1], audit_key_file=sys.argv[2], logs=False, traces=False)
obs.audit("ORDER", "parent", actor="bob")
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        obs.audit("ORDER", "child", actor="bob")
        obs.shutdown(0)
        os._exit(0)
    os.waitpid(pid, 0)
obs.audit("ORDER", "parent", actor="bob")
"""


def test_a_forked_child_begins_a_chain_that_names_its_parents(path: Path, key: str) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", _FORK, str(path), key], check=True, timeout=60)
    report = verified(path, key)
    assert report.exit_code == 0
    parents = [name for name, chain in report.chains.items() if not chain.parent]
    assert len(report.chains) == 4
    assert len(parents) == 1
    assert {chain.parent for chain in report.chains.values() if chain.parent} == set(parents)
    without = [
        line for line in path.read_bytes().splitlines() if parents[0].encode() not in line or b"start" in line
    ]
    path.write_bytes(b"\n".join(without))
    assert "cut-end" in {problem.id for problem in verified(path, key).problems}


_HELD = """
import os, signal, sys, threading, obs
from obs.runtime.events import record
obs.init("shop", audit_file=sys.argv[1], log_level="critical", traces=False)
obs.audit("ORDER", "parent", actor="bob")
journal = record._journal
held, over = threading.Event(), threading.Event()
def write():
    # A thread in the middle of a line, with another one waiting behind it.
    with journal._lock, journal._opened()._lock, journal._stream._lock:
        journal._busy, journal._waiting, journal._lost = True, [{"stream": "audit", "action": "WAITS"}], 5
        held.set()
        over.wait()
        journal._busy, journal._waiting, journal._lost = False, [], 0
thread = threading.Thread(target=write)
thread.start()
held.wait()
pid = os.fork()
if pid == 0:
    signal.alarm(30)
    obs.audit("ORDER", "child", actor="bob")
    os._exit(0)
_, status = os.waitpid(pid, 0)
over.set()
thread.join()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_child_forked_while_a_thread_writes_an_event_waits_for_nobody_and_repeats_nothing(
    path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _HELD, str(path)],
        check=False,
        timeout=120,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    (start,) = [record for record in records if "parent" in record]
    child = [record for record in records if record["chain_id"] == start["chain_id"]]
    assert [(record.get("resource"), record["sequence"], "lost" in record) for record in child] == [
        (None, 0, False),
        ("child", 1, False),
    ]
    assert verified(path).problems == ()
