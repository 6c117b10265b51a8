"""How long the queue of an exporter holds what it was given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from obs.runtime.otel.answer import Answer, Channel
from obs.runtime.otel.outage import Outage
from obs.runtime.otel.queue import ExportQueue, Limits


class _Condition(threading.Condition):
    """Waits for no time at all, and lets something happen meanwhile."""

    def __init__(self, meanwhile: Callable[[int], None]) -> None:
        super().__init__(threading.RLock())
        self.waits = 0
        self._meanwhile = meanwhile

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        self._meanwhile(self.waits)
        return False


def _never() -> Channel[str]:
    raise AssertionError


def _silent(_level: str, _message: str, /, **_fields: object) -> None:
    pass


def _queue() -> ExportQueue[str]:
    return ExportQueue(
        _never,
        Limits(size=10, batch=5, interval=60.0, timeout=1.0),
        Outage("traces", "nowhere", _silent),
        dropped="spans_dropped",
        thread="never",
    )


def test_a_flush_that_sends_itself_waits_for_another_one_no_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = _queue()
    # As at the end of the interpreter, where no thread can be started any more.
    monkeypatch.setattr(queue, "_start", lambda: None)
    queue._waiting.append("span")
    answers: list[bool] = []
    with queue._here:
        thread = threading.Thread(target=lambda: answers.append(queue.flush(0.05)), daemon=True)
        thread.start()
        thread.join(10)
        assert answers == [False]


@pytest.mark.parametrize("idle", [1, 4])
def test_what_comes_while_nothing_else_waits_is_sent_at_the_end_of_that_interval(
    idle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = _queue()

    def meanwhile(waits: int) -> None:
        assert waits <= idle, "it waited for another interval"
        if waits == idle:
            queue._waiting.append("span")

    changed = _Condition(meanwhile)
    monkeypatch.setattr(queue, "_changed", changed)
    monkeypatch.setattr(queue, "_lock", changed._lock)  # type: ignore[attr-defined]
    monkeypatch.setattr(queue, "_thread", threading.current_thread())
    assert queue._wait()
    assert changed.waits == idle


class _Refusing:
    """A way to a collector that takes nothing."""

    def deliver(self, _batch: Sequence[str], _timeout: float, /) -> Answer:
        return Answer("rejected", "no")

    def interrupt(self) -> None:
        """Do nothing."""

    def proceed(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def test_what_comes_right_after_a_flush_is_not_hurried_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _queue()
    monkeypatch.setattr(queue, "_make", _Refusing)
    monkeypatch.setattr(queue, "_start", lambda: None)
    queue._waiting.append("span")
    queue.hurry(10.0)
    queue._attempt(1.0)
    # The flush has its answer, and the queue's thread has not looked again.
    queue._waiting.append("another span")

    changed = _Condition(lambda _: None)
    monkeypatch.setattr(queue, "_changed", changed)
    monkeypatch.setattr(queue, "_lock", changed._lock)  # type: ignore[attr-defined]
    monkeypatch.setattr(queue, "_thread", threading.current_thread())
    assert queue._wait()
    assert changed.waits == 1
