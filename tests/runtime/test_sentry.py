"""Error events: sent by Sentry's real client to a real receiver, under our ids and without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sentry_sdk
from sentry_sdk import scope as sentry_scope
from tests.runtime.sentry_receiver import Receiver

import obs
from obs.errors import ConfigError
from obs.runtime.crashes import unhandled
from obs.runtime.redaction import MASK

SECRET = "hunter2" + "xyzzy"


def _fail() -> None:
    password = SECRET  # noqa: F841 - a local variable that an event shows
    nested = {"list": [{"api_key": SECRET}], "pair": [("authorization", SECRET)]}  # noqa: F841
    header = f"Bearer {SECRET}"  # noqa: F841
    url = f"postgres://bob:{SECRET}@db/x?token={SECRET}"
    raise ValueError(f"cannot reach {url}, password={SECRET}")


def _failed() -> BaseException:
    try:
        _fail()
    except ValueError as error:
        return error
    raise AssertionError


def test_an_event_has_our_ids_and_names(receiver: Receiver) -> None:
    obs.init(
        "shop", version="1.2", environment="test", sentry_dsn=receiver.dsn, logs=False, sentry_tags={"team": "a"}
    )  # fmt: skip
    assert "error events" in obs.status().on
    with obs.bind(order=7), obs.span("pay"):
        ids = obs.ids()
        event_id = obs.capture(_failed(), attempt=2)
    assert obs.flush(5)
    (event,) = receiver.events
    assert event["event_id"] == event_id
    assert event["contexts"]["trace"]["trace_id"] == ids.trace_id
    assert event["contexts"]["trace"]["span_id"] == ids.span_id
    assert event["contexts"]["fields"]["order"] == 7
    assert (event["release"], event["environment"]) == ("1.2", "test")
    assert event["tags"] == {"service": "shop", "team": "a", "mechanism": "manual", "attempt": "2"}
    (value,) = event["exception"]["values"]
    assert value["mechanism"] == {"type": "manual", "handled": True}


def test_planted_secrets_are_nowhere_in_what_is_sent(receiver: Receiver) -> None:
    obs.init("shop", sentry_dsn=receiver.dsn, logs=False)
    sentry_sdk.add_breadcrumb(message=f"token={SECRET}", data={"password": SECRET})
    with obs.bind(card_cvv=SECRET):
        unhandled(_failed(), "http", "no", headers=[(b"cookie", SECRET.encode())])
        obs.capture(_failed(), api_key=SECRET, note=f"Bearer {SECRET}")
    sentry_sdk.get_isolation_scope().set_user({"id": "7", "session": SECRET})
    event = {
        "message": f"Bearer {SECRET}",
        "request": {
            "headers": {"Authorization": SECRET},
            "cookies": SECRET,
            "query_string": f"token={SECRET}",
        },
        "extra": {"deep": [{"very": {"deep": {"and": {"even": [{"deeper": {"password": SECRET}}]}}}}]},
    }
    sentry_sdk.capture_event(event)  # type: ignore[arg-type]
    assert obs.flush(5)
    sentry_sdk.get_isolation_scope().clear()
    assert len(receiver.events) == 3
    assert not [body for body in receiver.bodies if SECRET.encode() in body]
    text = json.dumps(receiver.events)
    assert MASK in text
    # What is no secret is there: the frame, its function, the other variables.
    frame = receiver.events[0]["exception"]["values"][0]["stacktrace"]["frames"][-1]
    assert frame["function"] == "_fail"
    assert frame["vars"]["nested"]["list"][0]["api_key"] == MASK


def test_an_argument_is_not_sent_from_our_own_frames_where_it_has_no_name(receiver: Receiver) -> None:
    obs.init("shop", sentry_dsn=receiver.dsn, logs=False)

    @obs.job("nightly")
    @obs.span("work")
    def work(token: str) -> None:
        raise ValueError(len(token))

    with pytest.raises(ValueError, match=str(len(SECRET))):
        work(SECRET)
    assert obs.flush(5)
    (event,) = receiver.events
    assert not [body for body in receiver.bodies if SECRET.encode() in body]
    assert event["exception"]["values"][0]["stacktrace"]["frames"][-1]["vars"]["token"] == MASK


def test_without_a_version_there_is_no_release(receiver: Receiver) -> None:
    obs.init("shop", sentry_dsn=receiver.dsn, logs=False)
    obs.capture(_failed())
    assert obs.flush(5)
    assert "release" not in receiver.events[0]


@pytest.mark.parametrize(("rate", "kept"), [("1", 1), ("0", 0)])
def test_transactions_of_the_host_are_kept_at_their_own_rate_and_cleaned(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, rate: str, kept: int
) -> None:
    monkeypatch.setenv("SENTRY_TRACES_SAMPLE_RATE", rate)
    # Our own ratio has nothing to do with it.
    obs.init("shop", sentry_dsn=receiver.dsn, logs=False, traces_ratio=0.5)
    with sentry_sdk.start_transaction(name="import", op="task") as transaction:
        transaction.set_data("password", SECRET)
        with sentry_sdk.start_span(op="db", name=f"token={SECRET}"):
            pass
    assert obs.flush(5)
    found = receiver.items("transaction")
    assert [one["transaction"] for one in found] == ["import"] * kept
    assert SECRET not in json.dumps(found)
    assert receiver.events == []


def test_one_transaction_of_ten_is_kept_by_default(receiver: Receiver) -> None:
    obs.init("shop", sentry_dsn=receiver.dsn, logs=False)
    assert sentry_sdk.get_client().options["traces_sample_rate"] == 0.1


def test_an_exception_is_sent_once(receiver: Receiver) -> None:
    obs.init("shop", sentry_dsn=receiver.dsn, logs=False)
    error = _failed()
    unhandled(error, "http", "no")
    event_id = obs.capture(error)
    unhandled(error, "main", "no")
    assert obs.flush(5)
    assert [event["event_id"] for event in receiver.events] == [event_id]


def test_a_client_of_the_host_is_used_and_kept(receiver: Receiver) -> None:
    before = sentry_sdk.get_global_scope().client
    theirs = sentry_sdk.Client(receiver.dsn, default_integrations=False, auto_enabling_integrations=False)
    sentry_sdk.get_global_scope().set_client(theirs)
    try:
        status = obs.init("shop", logs=False)
        assert "Sentry client" in status.adopted
        with obs.span("pay"):
            ids = obs.ids()
            assert obs.capture(_failed())
        sentry_sdk.capture_message("the host's own")
        assert obs.shutdown(5)
        assert sentry_sdk.get_client() is theirs
    finally:
        theirs.close(timeout=5)
        sentry_sdk.get_global_scope().set_client(before)
    ours, own = receiver.events
    assert ours["contexts"]["trace"]["trace_id"] == ids.trace_id
    assert SECRET not in json.dumps(ours)
    assert own["message"] == "the host's own"


def test_shutdown_takes_our_client_away(receiver: Receiver) -> None:
    obs.init("shop", sentry_dsn=receiver.dsn, logs=False)
    assert sentry_sdk.get_client().is_active()
    obs.capture(_failed())
    assert obs.shutdown(5)
    assert len(receiver.events) == 1
    assert not sentry_sdk.get_client().is_active()
    assert not sentry_scope.has_external_propagation_context()
    assert obs.capture(_failed()) is None


def test_a_dsn_in_a_file_is_read(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "dsn"
    path.write_text(receiver.dsn + "\n")
    obs.init("shop", sentry_dsn_file=str(path), logs=False)
    assert obs.capture(_failed())
    assert obs.flush(5)
    assert len(receiver.events) == 1


def test_a_dsn_that_is_none_is_refused_and_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kept secret") as caught:
        obs.init("shop", sentry_dsn="ftp://hush@host/1")
    assert "hush" not in str(caught.value)
    path = tmp_path / "dsn"
    path.write_text("nothing")
    with pytest.raises(ConfigError, match="sentry_dsn_file"):
        obs.init("shop", sentry_dsn_file=path)
    assert not obs.status().running


def test_a_dsn_without_the_package_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['sentry_sdk'] = None\nimport obs\n"
        "try: obs.init('shop', sentry_dsn='http://key@127.0.0.1:9/1')\n"
        "except obs.MissingExtra as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert "sentry-sdk" in done.stdout
    assert "obs-kit[sentry]" in done.stdout


_PROCESS = """
import os, sys, obs
obs.init("shop", sentry_dsn=sys.argv[1], log_level="critical", traces=False)
{body}
"""


@pytest.mark.parametrize(
    ("body", "types"),
    [
        ("raise ValueError('main')", ["ValueError"]),
        ("import threading\nthreading.Thread(target=lambda: 1/0).start()", ["ZeroDivisionError"]),
        (
            "import multiprocessing as m\n"  # noqa: ISC004 - one script
            "def work(): obs.capture(KeyError('child'))\n"
            "obs.capture(ValueError('parent'))\n"
            "for _ in range(3):\n"
            "    child = m.get_context('fork').Process(target=work); child.start(); child.join()\n",
            ["KeyError", "KeyError", "KeyError", "ValueError"],
        ),
    ],
    ids=["main", "thread", "forked children"],
)
def test_nothing_is_lost_when_a_process_ends(receiver: Receiver, body: str, types: list[str]) -> None:
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROCESS.format(body=body), receiver.dsn],
        capture_output=True, check=False, timeout=60, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert sorted(event["exception"]["values"][0]["type"] for event in receiver.events) == types


_FORK = """
import os, socket, sys, threading, time, obs
hole = socket.create_server(("127.0.0.1", 0))
obs.init("shop", sentry_dsn=f"http://key@127.0.0.1:{hole.getsockname()[1]}/1", logs=False, traces=False)
obs.capture(ValueError("waits for an answer for ever"))
threading.Thread(target=obs.flush, args=(20,), daemon=True).start()
time.sleep(0.5)
began = time.monotonic()
pid = os.fork()
if pid == 0:
    os._exit(0 if obs.capture(KeyError("child")) else 1)
assert time.monotonic() - began < 10, "the fork waited for the flush"
ends = time.monotonic() + 10
while (found := os.waitpid(pid, os.WNOHANG)) == (0, 0):
    if time.monotonic() > ends:
        os.kill(pid, 9)
    time.sleep(0.01)
os._exit(os.waitstatus_to_exitcode(found[1]))
"""


def test_a_child_forked_during_a_flush_is_not_caught_in_its_lock() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORK], check=False, timeout=60, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


_HELD = """
import os, sys, threading
met = []
# What is registered first is run last before a fork.
os.register_at_fork(before=lambda: met.extend(thread.name for thread in threading.enumerate()))
import obs
obs.init("shop", sentry_dsn=sys.argv[1], logs=False, traces=False)
for _ in range(10):
    # It is waited for as long as a fork may take, which a busy machine may find short.
    met.clear()
    obs.capture(ValueError("before"))
    assert [thread for thread in threading.enumerate() if "sentry" in thread.name]
    obs.flush(30)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    if met == ["MainThread"]:
        break
else:
    sys.exit(str(met))
obs.capture(ValueError("after"))
"""


def test_a_fork_does_not_meet_sentrys_thread_and_nothing_is_lost_by_that(receiver: Receiver) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HELD, receiver.dsn], check=False, timeout=60, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    values = {event["exception"]["values"][0]["value"] for event in receiver.events}
    assert values == {"after", "before"}


def test_a_receiver_that_is_gone_costs_no_more_than_the_deadline() -> None:
    obs.init("shop", sentry_dsn="http://key@127.0.0.1:9/1", logs=False, traces=False, metrics=False)
    for _ in range(5):
        obs.capture(_failed())
    assert obs.flush(5) in {True, False}
    obs.shutdown(0.2)


def test_sentry_brings_no_framework_along() -> None:
    script = (
        "import obs, sys; obs.init('shop', sentry_dsn='http://key@127.0.0.1:9/1')\n"
        "print({'django', 'flask', 'fastapi', 'starlette', 'celery'} & {*sys.modules})"
    )
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "SENTRY_"))}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=kept
    )
    assert done.stdout == "set()\n"


def test_sentry_is_loaded_with_a_dsn_only() -> None:
    script = "import obs, sys; obs.init('shop'); print('sentry_sdk' in sys.modules)"
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "SENTRY_"))}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=kept
    )
    assert done.stdout == "False\n"
