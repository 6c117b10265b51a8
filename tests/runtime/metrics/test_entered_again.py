"""What a signal handler, a finalizer or a gauge's reader does in the middle of a metric's own work."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.metrics.test_group import MARK, lead, write
from tests.runtime.reentry import patience

import obs
from obs.runtime import endpoints
from obs.runtime import process as kernel
from obs.runtime.metrics import scrape
from obs.runtime.metrics.gather import Gatherer
from obs.runtime.metrics.group import Group
from obs.runtime.metrics.store import Store


def once(work: Callable[[], object]) -> Callable[[], None]:
    """Return what does `work` the first time only."""
    left = [work]

    def run() -> None:
        if left:
            left.pop()()

    return run


def shown(gatherer: Gatherer, of: Group) -> dict[str, float]:
    snapshot, _ = gatherer.gather(of)
    return {row.values[0]: snapshot.cells[row.at] for _, rows in snapshot.families for row in rows}


def series(name: str) -> list[str]:
    """Return the lines of a scrape that begin with `name`."""
    answer = scrape.answer(endpoints._metrics, "", "")  # type: ignore[arg-type]
    return [line for line in answer.body.decode().splitlines() if line.startswith(name)]


def test_a_scrape_in_the_middle_of_a_scrape_shows_the_same_and_so_does_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, gatherer, inside = lead(tmp_path), Gatherer(), []
    with closing(write(of, 1, key="a")), closing(write(of, 2, key="b")):
        usage = kernel.usage
        again = once(lambda: inside.append(shown(gatherer, of)))

        def interrupted(pid: int) -> Any:
            again()
            return usage(pid)

        monkeypatch.setattr(kernel, "usage", interrupted)
        with patience():
            assert shown(gatherer, of) == {"a": 1, "b": 2}
        assert inside == [{"a": 1, "b": 2}]
        assert shown(gatherer, of) == {"a": 1, "b": 2}


def test_a_scrape_that_is_broken_off_leaves_the_next_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, gatherer = lead(tmp_path), Gatherer()

    def broken_off(*_: object) -> int:
        raise KeyboardInterrupt

    with closing(write(of, 1, mark=MARK)):
        with monkeypatch.context() as patch:
            patch.setattr(zlib, "crc32", broken_off)
            with pytest.raises(KeyboardInterrupt):
                gatherer.gather(of)
        assert shown(gatherer, of) == {"a": 1}
        assert list(gatherer.gather(of)[0].exemplars.values()) == [MARK]


def test_a_scrape_in_the_middle_of_adding_up_the_dead_waits_for_nobody(tmp_path: Path) -> None:
    of = lead(tmp_path)
    with closing(write(of, 1)):
        with patience(), of.locked(exclusive=True) as alone:
            assert alone
            assert shown(Gatherer(), of) == {"a": 1}
            with of.locked(exclusive=True) as again:
                assert not again
            assert shown(Gatherer(), of) == {"a": 1}
        with lead(tmp_path).locked(exclusive=True) as free:
            assert free


def test_a_child_that_is_forked_while_a_lock_is_asked_for_does_not_keep_it(tmp_path: Path) -> None:
    script = """
    import fcntl, os, signal, sys
    from pathlib import Path
    from obs.runtime.metrics import group
    close, children, asked = os.close, [], Path(sys.argv[1], "index")
    asked.touch()
    def fork_first(descriptor):
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
        close(descriptor)
    group.os.close = fork_first
    try:
        assert not group.is_locked(asked)
        fcntl.flock(os.open(asked, os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert len(children) == 1
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_series_that_is_made_again_while_it_is_made_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    obs.init("shop", logs=False)
    counter = obs.counter("test.again", labels=("k",))
    allocate = Store.allocate
    again = once(lambda: counter.inc(2, k="a"))

    def interrupted(store: Store, *given: Any) -> int:
        at = allocate(store, *given)
        again()
        return at

    monkeypatch.setattr(Store, "allocate", interrupted)
    counter.inc(1, k="a")
    counter.inc(4, k="a")
    assert series("test_again_total") == ['test_again_total{k="a"} 7.0']


def test_gauges_whose_readers_scrape_are_read_once_a_scrape() -> None:
    obs.init("shop", logs=False)
    reads: list[str] = []

    def reader(name: str) -> Callable[[], float]:
        def read() -> float:
            reads.append(name)
            # Without the bound a failure would take for ever.
            if len(reads) < 20:
                series("test_one")
            return len(reads)

        return read

    for name in ("test.one", "test.two"):
        obs.gauge(name).track(reader(name))
    reads.clear()
    assert series("test_two") == ["test_two 2.0"]
    assert reads == ["test.one", "test.two"]
