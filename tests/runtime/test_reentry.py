"""Nothing of obs waits for itself, and nothing is lost or counted twice, when it is entered again in its middle."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.reentry import everywhere, patience

import obs
from obs.runtime import endpoints, heartbeat, jobs, levels, live, logger, probes, setup, tally
from obs.runtime.events.journal import Journal
from obs.runtime.events.segments import Place
from obs.runtime.events.verify import Verifier
from obs.runtime.heartbeat import Pulse
from obs.runtime.metrics.family import Definition, Family
from obs.runtime.metrics.group import Group, itself
from obs.runtime.metrics.reader import Reader
from obs.runtime.metrics.refresher import Refresher
from obs.runtime.metrics.store import CPU, TALLY, Store
from obs.runtime.otel.answer import Answer
from obs.runtime.otel.outage import Outage
from obs.runtime.otel.queue import ExportQueue, Limits
from obs.runtime.probes import Check, Verdict
from obs.runtime.settings import resolve


def test_no_count_about_obs_is_lost_or_doubled() -> None:
    for place in everywhere():
        tally.reset()
        with place.interrupted_by(lambda: tally.add("errors", "setup")):
            tally.add("errors", "setup")
        assert tally.count("errors", "setup") == (2 if place.seen else 1), place.seen


def families() -> tuple[Family, Family]:
    return Family(Definition("one", "counter", "", ("who",))), Family(
        Definition("other", "counter", "", ("who",))
    )


def counted(store: Store, family: Family, *names: str) -> None:
    """Make series, and count in each."""
    for name in names:
        at = store.allocate(family, (name,))
        store.cells[at] += 1.0


def grouped(folder: Path) -> Group:
    leader = itself()
    assert leader is not None
    return Group(str(folder), "test", leader, led=True)


def read(folder: Path, store: Store) -> dict[tuple[str, str], float]:
    """Return what another process reads of this one."""
    contents = Reader().read(folder, store.name)
    found: dict[tuple[str, str], float] = {}
    for family, places in contents.blocks:
        for (who,), at in places.items():
            key = (family.definition.name, who)
            found[key] = found.get(key, 0.0) + contents.cells[at]
    return found


def test_a_series_that_is_made_in_the_middle_of_another_has_cells_of_its_own() -> None:
    for place in everywhere():
        store = Store(lambda: None)
        one, other = families()
        with place.interrupted_by(counted, store, other, "handler"):
            at = store.allocate(one, ("interrupted",))
        assert list(store.cells)[at : at + 2] == [0.0, 0.0], place.seen
        assert sum(store.cells) == (1.0 if place.seen else 0.0), place.seen


def test_another_process_reads_right_what_is_made_in_the_middle_of_another(tmp_path: Path) -> None:
    for number, place in enumerate(everywhere()):
        group = grouped(tmp_path / str(number))
        with closing(Store(lambda: None)) as store:
            one, other = families()
            store.join(group)
            store.open()
            # The second metric is new both to the handler and to what it interrupts, and so is more room.
            with place.interrupted_by(counted, store, other, *(f"handler {n}" for n in range(260))):
                counted(store, one, "interrupted")
                counted(store, other, "interrupted")
            expected = {(name, "interrupted"): 1.0 for name in ("one", "other")}
            if place.seen:
                expected |= {("other", f"handler {n}"): 1.0 for n in range(260)}
            found = read(group.folder, store)
            assert {key: value for key, value in found.items() if key[0] != CPU.name} == expected, place.seen


def test_an_exception_of_a_handler_in_the_middle_of_a_new_series_costs_that_series_alone(
    tmp_path: Path,
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    for number, place in enumerate(everywhere()):
        group = grouped(tmp_path / str(number))
        with closing(Store(lambda: None)) as store, closing(Store(lambda: None)) as alone:
            store.join(group)
            store.open()
            one, other = families()
            with suppress(KeyboardInterrupt), place.interrupted_by(interrupt):
                counted(alone, one, "lost")
                counted(store, one, "lost")
            for kept in (alone, store):
                counted(kept, other, "kept")
            assert read(group.folder, store)["other", "kept"] == 1.0, place.seen
            assert sum(alone.cells) in {1.0, 2.0}, place.seen


def test_a_count_about_obs_is_not_doubled_where_other_processes_see_it(tmp_path: Path) -> None:
    for number, place in enumerate(everywhere()):
        group = grouped(tmp_path / str(number))
        tally.reset()
        with closing(Store(lambda: None)) as store:
            store.join(group)
            store.open()
            with place.interrupted_by(lambda: tally.add("errors", "setup")):
                tally.add("errors", "setup")
            tally.add("errors", "setup")
            contents = Reader().read(group.folder, store.name)
            assert sum(
                contents.cells[at]
                for family, places in contents.blocks
                if family.definition.name == TALLY.name
                for at in places.values()
            ) == (3.0 if place.seen else 2.0), place.seen


class Quiet:
    """A run of a job that says nothing."""

    def beat(self) -> None:
        """Say nothing."""


def test_a_job_may_begin_and_end_in_the_middle_of_another() -> None:
    def other(pulse: Pulse) -> None:
        run = Quiet()
        pulse.start(run, 60.0)
        pulse.stop(run)

    for place in everywhere():
        pulse, run = Pulse(), Quiet()
        with patience(), place.interrupted_by(other, pulse):
            pulse.start(run, 60.0)
        thread = pulse._thread
        assert thread is not None
        assert thread.is_alive(), place.seen
        pulse.stop(run)
        thread.join(10)
        assert not thread.is_alive(), place.seen
    assert tally.counts("errors") == {}


def test_what_refreshes_is_stopped_and_started_in_the_middle_of_both() -> None:
    def stop_and_start(refresher: Refresher) -> None:
        refresher.stop()
        refresher.start()

    for place in everywhere():
        refresher = Refresher(lambda: None)
        refresher.start()
        with patience(), place.interrupted_by(stop_and_start, refresher):
            stop_and_start(refresher)
        thread = refresher._thread
        assert thread is not None
        assert thread.is_alive(), place.seen
        refresher.stop()
        thread.join(10)
    assert tally.counts("errors") == {}
    assert [thread.name for thread in threading.enumerate() if thread.name == "obs-tracked"] == []


def test_health_is_told_in_the_middle_of_asking_for_it() -> None:
    asked: list[Verdict] = []

    def ask(check: Check) -> None:
        asked.append(probes.wait(check, probes.share(check)).verdict)

    for place in everywhere():
        check = Check("database", lambda: True, critical=True, timeout=10.0, ttl=0.0)
        with patience(), place.interrupted_by(ask, check):
            ask(check)
    assert set(asked) == {"healthy"}


class Taking:
    """A way to a collector that takes everything."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.taken: list[str] = []
        self._meanwhile = meanwhile

    def deliver(self, batch: Sequence[str], _timeout: float, /) -> Answer:
        self._meanwhile()
        self.taken += batch
        return Answer("delivered")

    def interrupt(self) -> None:
        """Nothing is under way for long."""

    proceed = close = interrupt


def queued(channel: Taking) -> ExportQueue[str]:
    def silent(_level: str, _message: str, /, **_fields: object) -> None:
        pass

    return ExportQueue(
        lambda: channel,
        Limits(size=10, batch=2, interval=60.0, timeout=5.0),
        Outage("traces", "nowhere", silent),
        dropped="spans_dropped",
        thread="reentry",
    )


def test_a_flush_in_the_middle_of_one_that_sends_itself_does_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[bool] = []
    channel = Taking(lambda: answers.append(queue.flush(60.0)))
    queue = queued(channel)
    # As at the end of the interpreter, where no thread can be started any more.
    monkeypatch.setattr(queue, "_start", lambda: None)
    queue._waiting.append("span")
    with patience():
        assert queue.flush(60.0)
    # What it interrupts has it in hand.
    assert (answers, channel.taken) == ([False], ["span"])


def test_an_exception_of_a_handler_leaves_a_queue_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        # Not in there: a thread that Python was about to start would be stuck for ever.
        tracing = sys.gettrace()
        sys.settrace(None)
        real(thread)
        sys.settrace(tracing)

    monkeypatch.setattr(threading.Thread, "start", start)

    def interrupt() -> None:
        raise KeyboardInterrupt

    def go_on(queue: ExportQueue[str], delivered: list[bool]) -> None:
        queue.put("after")
        delivered.append(queue.flush(20.0))

    for place in everywhere():
        channel = Taking()
        queue = queued(channel)
        with suppress(KeyboardInterrupt), place.interrupted_by(interrupt):
            queue.put("first")
            queue.put("second")
        delivered: list[bool] = []
        other = threading.Thread(target=go_on, args=(queue, delivered), daemon=True)
        other.start()
        other.join(30)
        assert delivered == [True], place.seen
        assert channel.taken.count("after") == 1, place.seen
        assert {channel.taken.count("first"), channel.taken.count("second")} <= {0, 1}, place.seen
        assert queue.stop(20.0), place.seen


@pytest.mark.parametrize("begun", [True, False])
def test_an_exception_of_a_handler_leaves_no_gap_in_a_chain_that_the_chain_does_not_tell(
    begun: bool, tmp_path: Path
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    for number, place in enumerate(everywhere()):
        path = tmp_path / str(number)
        journal = Journal(resolve({"service": "shop", "audit_file": str(path)}), None, None)
        if begun:
            journal.write({"stream": "audit", "action": "CREATE"})
        with suppress(KeyboardInterrupt), place.interrupted_by(interrupt):
            journal.write({"stream": "audit", "action": "UPDATE"})
        journal.write({"stream": "audit", "action": "DELETE"})
        journal.stop()
        verifier = Verifier()
        for at, line in enumerate(path.read_bytes().splitlines(), start=1):
            verifier.feed(Place(path.name, at), line)
        assert {problem.id for problem in verifier.finish().problems} <= {"lost"}, place.seen


def test_a_metric_may_be_asked_for_while_it_is_made() -> None:
    def ask(name: str) -> None:
        made.append(obs.counter(name, "what happened"))

    obs.init("shop", traces=False)
    for number, place in enumerate(everywhere()):
        made: list[obs.Counter] = []
        name = f"reentry.number_{number}"
        with place.interrupted_by(ask, name):
            ask(name)
        assert made == [made[0]] * (2 if place.seen else 1), place.seen
        # Bound, and so not one that counts nothing.
        assert made[0]._metric is not None, place.seen
    assert tally.counts("errors") == {}


def test_a_level_that_is_set_while_it_is_asked_for_holds() -> None:
    obs.init("shop", traces=False, metrics=False)
    for number, place in enumerate(everywhere()):
        name = f"reentry.{number}"
        with place.interrupted_by(levels.change, "debug", name):
            levels.gate(name)
            levels.threshold(name)
        gate = levels.gate(name)
        if place.seen:
            assert (gate.level, levels.threshold(name)) == (logging.DEBUG, logging.DEBUG), place.seen


def test_a_level_that_is_set_while_another_is_holds() -> None:
    obs.init("shop", traces=False, metrics=False)
    one, other = levels.gate("reentry.one"), levels.gate("reentry.other")
    for place in everywhere():
        levels.change("info", "reentry.one")
        with place.interrupted_by(levels.change, "error", "reentry.other"):
            levels.change("debug", "reentry.one")
        expected = logging.ERROR if place.seen else logging.INFO
        assert (one.level, other.level) == (logging.DEBUG, expected), place.seen
        assert (levels.threshold("reentry.one"), levels.threshold("reentry.other")) == (one.level, expected)
        levels.change("default", "reentry.other")


PILLARS = tuple(part.name for part in setup.PARTS)


def during(
    method: str, pillar: str, intrusion: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let `intrusion` come, once, right before `method` of a pillar."""
    part = next(part for part in setup.PARTS if part.name == pillar)
    real, left = getattr(part, method), [intrusion]

    def interrupted(*arguments: Any) -> Any:
        if left:
            left.pop()()
        return real(*arguments)

    monkeypatch.setattr(part, method, interrupted)


@pytest.mark.parametrize("pillar", PILLARS)
@pytest.mark.parametrize("running", [False, True])
def test_a_shutdown_in_the_middle_of_an_init_is_done_after_it(
    pillar: str, running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if running:
        obs.init("shop")
    during("change" if running else "start", pillar, obs.shutdown, monkeypatch)
    status = obs.init("shop", version="2")
    assert (status.running, obs.status().running) == (False, False)
    assert (logger.pipeline(), live.settings(), setup._busy) == (None, None, False)
    assert obs.init("shop").running
    assert tally.counts("errors") == {}


@pytest.mark.parametrize("pillar", PILLARS)
def test_an_init_in_the_middle_of_a_shutdown_is_done_after_it(
    pillar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    obs.init("shop")
    during("stop", pillar, partial(obs.init, "shop", version="2"), monkeypatch)
    obs.shutdown(1.0)
    settings = live.settings()
    assert settings is not None
    assert (settings.version, obs.status().running) == ("2", True)
    counted_again = obs.counter("reentry.after", "what happened")
    assert logger.pipeline() is not None
    assert counted_again._metric is not None
    assert tally.counts("errors") == {}


def test_an_exception_of_a_handler_while_the_heart_of_a_job_begins_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    obs.init("shop")
    monkeypatch.setattr(heartbeat.pulse, "start", interrupt)
    with pytest.raises(KeyboardInterrupt), obs.job("nightly", heartbeat=60.0):
        raise AssertionError
    assert obs.ids().trace_id == ""
    metrics = endpoints._metrics
    assert metrics is not None
    assert metrics.value(jobs.ACTIVE.signal, {"job_name": "nightly"}) == 0.0


def test_an_exception_of_a_handler_while_a_job_ends_leaves_no_span_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    obs.init("shop")
    monkeypatch.setattr(heartbeat.pulse, "stop", interrupt)
    with pytest.raises(KeyboardInterrupt), obs.job("nightly", heartbeat=60.0) as run:
        pass
    monkeypatch.undo()
    heartbeat.pulse.stop(run)
    assert obs.ids().trace_id == ""
