"""Audit and security events: what a line says, where it goes, and what becomes of one that is lost."""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import obs
from obs.catalogue import audit as signals
from obs.errors import ConfigError
from obs.runtime import context
from obs.runtime.events.keys import read_key
from obs.runtime.events.segments import Place
from obs.runtime.events.verify import Report, Verifier
from obs.runtime.redaction import MASK
from obs.testing import readings

Lines = Callable[[], list[dict[str, Any]]]


def verified(path: Path, key: str = "") -> Report:
    verifier = Verifier(read_key(key))
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        verifier.feed(Place(path.name, number), line)
    return verifier.finish()


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


def test_a_line_tells_who_did_what_to_what_from_where(lines: Lines) -> None:
    obs.init("shop", version="1", environment="test")
    token = context.client.set(context.Client("203.0.113.7", "curl/8"))
    with obs.extract({"x-request-id": "req-1"}), obs.bind(tenant=3), obs.span("request"):
        ids = obs.ids()
        obs.audit(
            "UPDATE", "order/7", actor={"user": "bob", "session": "s"}, reason="web", stream="x",
            before={"state": "new", "password": "a", "total": 3}, after={"state": "paid", "password": "b", "total": 3},
        )  # fmt: skip
    context.leave(token)
    start, line = lines()
    assert (start["event"], start["sequence"], start["signed"]) == ("chain.start", 0, False)
    assert {name: line[name] for name in line if name not in ("timestamp", "chain_id", "previous", "hash")} == {
        "service": "shop", "version": "1", "environment": "test", "stream": "audit",
        "action": "UPDATE", "resource": "order/7", "actor": {"user": "bob", "session": MASK}, "outcome": "success",
        "before": {"state": "new", "password": MASK, "total": 3},
        "after": {"state": "paid", "password": MASK, "total": 3},
        "changed": ["password", "state"],
        "trace_id": ids.trace_id, "span_id": ids.span_id, "request_id": "req-1",
        "client": {"address": "203.0.113.7", "user_agent": "curl/8"},
        "tenant": 3, "reason": "web", "stream_": "x", "sequence": 1,
    }  # fmt: skip


def test_events_are_written_whatever_the_level_and_however_often(lines: Lines) -> None:
    obs.init("shop", log_level="critical", log_repeat_limit=1, traces_ratio=0)
    for _ in range(50):
        obs.security_event("login.failed", user="bob", password="p")  # noqa: S106
    assert [line["sequence"] for line in lines()] == list(range(51))


def test_before_init_an_event_goes_to_standard_logging_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    obs.audit("LOGIN", "site", actor="bob", after={"password": "hunter2"})
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("obs.audit", "WARNING")
    assert "'bob'" in record.getMessage()
    assert "hunter2" not in record.getMessage()


def test_events_are_counted_by_action_and_outcome() -> None:
    obs.init("shop", traces=False, logs=False)
    obs.audit("LOGIN", "site", actor="bob")
    obs.audit("LOGIN", "site", actor="bob", outcome="denied")
    obs.audit("LOGIN", "site", actor="bob", outcome="who knows")
    obs.security_event("token.reuse")
    found = {
        (item.name, *item.labels.values()): item.value for item in readings.scrape() if "events" in item.name
    }
    assert found[signals.EVENTS.metric, "LOGIN", "success"] == 1
    assert found[signals.EVENTS.metric, "LOGIN", "denied"] == 1
    assert found[signals.EVENTS.metric, "LOGIN", "other"] == 1
    assert found[signals.SECURITY.metric, "token.reuse"] == 1


def test_an_action_of_ones_own_is_fine_and_a_misspelt_one_is_asked_about_once(lines: Lines) -> None:
    obs.init("shop", traces=False)
    for action in ("EXPORT", "UPDATEE", "UPDATEE", "delete", "ship it!", ""):
        obs.audit(action, "x", actor="bob")
    written = lines()
    asked = [line for line in written if line.get("event") == "obs.audit.action"]
    assert [(line["got"], line["known"]) for line in asked] == [("UPDATEE", "UPDATE")]
    actions = [line["action"] for line in written if "action" in line]
    assert actions == ["EXPORT", "UPDATEE", "UPDATEE", "DELETE", "SHIP_IT", "UNKNOWN"]


def test_auditing_never_raises(path: Path) -> None:
    class Rude:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        def __hash__(self) -> int:
            return 1

        def __str__(self) -> str:
            raise RuntimeError

    obs.init("shop", audit_file=path)
    rude: Any = Rude()
    obs.audit(rude, rude, actor=rude, outcome=rude, before={"a": rude}, after={"a": rude}, x=rude)
    obs.security_event(Rude())  # type: ignore[arg-type]
    obs.shutdown(0)
    obs.audit("CREATE", "x", actor="bob")
    assert len(records(path)) == 4
    assert verified(path).exit_code == 0


def test_a_chain_is_signed_closed_and_verified(path: Path, key: str) -> None:
    obs.init("shop", audit_file=path, audit_key_file=key, logs=False)
    assert "audit signature" not in obs.status().skipped
    for number in range(5):
        obs.audit(
            "ORDER", f"order/{number}", actor="bob", name="Zoë \ud83d \U0001f600", big=2**70, part=0.1, n=1e22
        )
    obs.shutdown(0)
    written = records(path)
    assert [item["sequence"] for item in written] == list(range(7))
    assert (written[-1]["event"], written[-1]["final"]) == ("chain.anchor", True)
    assert all("hmac" in item and "hash" not in item for item in written)
    report = verified(path, key)
    assert (report.exit_code, report.lines) == (0, 7)
    assert [chain.closed for chain in report.chains.values()] == [True]
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_key_status_says_so(path: Path) -> None:
    obs.init("shop", audit_file=path)
    assert "rewrite" in obs.status().skipped["audit signature"]


def test_an_anchor_is_written_now_and_then_and_goes_to_the_log_as_well(path: Path, lines: Lines) -> None:
    obs.init("shop", audit_file=path, audit_anchor_every=3, traces=False)
    for _ in range(7):
        obs.audit("ORDER", "x", actor="bob")
    obs.shutdown(0)
    anchors = [item for item in records(path) if item.get("event") == "chain.anchor"]
    assert [item["sequence"] for item in anchors] == [4, 9, 10]
    assert [item for item in lines() if item.get("event") == "chain.anchor"] == anchors


def test_a_new_start_begins_a_new_chain_and_an_equal_one_does_not(path: Path) -> None:
    obs.init("shop", audit_file=path, logs=False)
    obs.audit("ORDER", "x", actor="bob")
    obs.init("shop", audit_file=path, logs=False, log_level="debug")
    obs.audit("ORDER", "x", actor="bob")
    assert len({item["chain_id"] for item in records(path)}) == 1
    status = obs.init("shop", audit_file=path, logs=False, audit_anchor_every=5)
    assert "a new audit chain begins" in status.notes
    obs.audit("ORDER", "x", actor="bob")
    obs.shutdown(0)
    report = verified(path)
    assert (report.exit_code, len(report.chains)) == (0, 2)


def test_threads_share_a_chain_without_a_gap(path: Path, key: str) -> None:
    obs.init("shop", audit_file=path, audit_key_file=key, logs=False, audit_anchor_every=20)

    def work() -> None:
        for _ in range(50):
            obs.audit("ORDER", "x" * 500, actor="bob")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    obs.shutdown(0)
    assert verified(path, key).problems == ()


def test_a_rotated_file_is_left_and_a_new_one_begun(path: Path, tmp_path: Path) -> None:
    obs.init("shop", audit_file=path, logs=False)
    obs.audit("ORDER", "x", actor="bob")
    path.rename(tmp_path / "audit.log.1")
    obs.audit("ORDER", "x", actor="bob")
    obs.shutdown(0)
    assert [len(records(tmp_path / name)) for name in ("audit.log.1", "audit.log")] == [2, 2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_an_event_that_cannot_be_written_is_counted_and_leaves_a_gap_that_shows(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path.symlink_to("/dev/full")
    obs.init("shop", audit_file=path, logs=False, traces=False)
    obs.audit("ORDER", "x", actor="bob")
    obs.audit("ORDER", "x", actor="bob")
    told = capfd.readouterr().err
    assert told.count("audit events cannot be written") == 1
    lost = [item.value for item in readings.scrape() if item.name == signals.LOST.metric]
    assert sum(lost) == 3
    path.unlink()
    obs.audit("ORDER", "x", actor="bob")
    obs.shutdown(0)
    first = records(path)[0]
    assert (first["sequence"], first["lost"]) == (3, 3)
    assert [problem.id for problem in verified(path).problems] == ["cut-start"]


def test_an_event_that_the_disk_cut_does_not_spoil_the_next_one(path: Path) -> None:
    obs.init("shop", audit_file=path, log_level="critical")
    obs.audit("ORDER", "first", actor="bob")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, limits[1]))
        obs.audit("ORDER", "cut", actor="bob")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    obs.audit("ORDER", "last", actor="bob")
    obs.shutdown(0)
    lines = path.read_text().splitlines()
    assert [json.loads(line).get("resource") for line in (*lines[:2], *lines[3:])] == [
        None,
        "first",
        "last",
        None,
    ]
    assert [json.loads(line).get("lost") for line in lines[3:]] == [1, None]
    assert [problem.id for problem in verified(path).problems] == ["unreadable", "lost"]


def test_half_of_a_line_that_a_killed_process_left_does_not_spoil_the_next_one(path: Path) -> None:
    path.write_text('{"stream":"audit","act')
    obs.init("shop", audit_file=path)
    obs.audit("ORDER", "x", actor="bob")
    obs.shutdown(0)
    assert [json.loads(line)["sequence"] for line in path.read_text().splitlines()[1:]] == [0, 1, 2]


def test_whoever_writes_events_need_not_be_allowed_to_read_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("half of a line")
    real = os.open

    def refuse(name: Any, flags: int, mode: int = 0o777, **given: Any) -> int:
        if name == str(path) and flags & os.O_ACCMODE != os.O_WRONLY:
            raise PermissionError
        return real(name, flags, mode, **given)

    monkeypatch.setattr(os, "open", refuse)
    obs.init("shop", audit_file=path)
    obs.audit("ORDER", "x", actor="bob")
    obs.shutdown(0)
    assert '"resource":"x"' in path.read_text()


@pytest.mark.parametrize(
    ("mode", "content", "match"),
    [(0o644, "k" * 32, "mode 0644"), (0o600, "short", "5 bytes"), (0o620, "k" * 32, "mode 0620")],
)
def test_a_key_that_protects_nothing_is_refused(tmp_path: Path, mode: int, content: str, match: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=match):
        obs.init("shop", audit_key_file=path)
    assert not obs.status().running


def test_a_file_that_cannot_be_opened_is_refused_at_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="audit_file"):
        obs.init("shop", audit_file=tmp_path / "nowhere" / "audit.log")


def test_an_event_from_a_signal_handler_in_the_middle_of_another_keeps_the_order(path: Path) -> None:
    def handle(*_: object) -> None:
        obs.audit("LOGIN", "in the handler", actor="bob")

    obs.init("shop", audit_file=path, logs=False, traces=False)
    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for number in range(300):
            obs.audit("ORDER", f"order/{number}", actor="bob")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    obs.shutdown(0)
    assert verified(path).problems == ()
    assert len([item for item in records(path) if item.get("action") == "ORDER"]) == 300
