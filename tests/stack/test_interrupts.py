"""Ctrl-C inside a held block arrives after it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from obs.stack import interrupts


@pytest.fixture
def default() -> Iterator[Callable[[int], None]]:
    """Give a signal the handler that programs begin with, until the test is over."""
    before = {}

    def set_default(number: int) -> None:
        before[number] = signal.signal(number, signal.SIG_DFL)

    yield set_default
    for number, handler in before.items():
        signal.signal(number, handler)


def test_ctrl_c_arrives_after_the_block() -> None:
    reached = []

    def block() -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert reached == ["the end of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_default_of_sigterm_is_left_alone() -> None:
    with interrupts.held():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_other_threads_run_the_block_as_it_is() -> None:
    seen: list[object] = []

    def work() -> None:
        with interrupts.held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_would_end_the_program_at_once_lets_it_clean_up(
    number: signal.Signals, default: Callable[[int], None]
) -> None:
    default(number)
    cleaned = []

    def block() -> None:
        with interrupts.raised():
            try:
                signal.raise_signal(number)
            finally:
                cleaned.append(number)

    with pytest.raises(SystemExit) as caught:
        block()
    assert (caught.value.code, cleaned) == (128 + number, [number])
    assert signal.getsignal(number) is signal.SIG_DFL


def test_an_ignored_signal_stays_ignored(default: Callable[[int], None]) -> None:
    default(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interrupts.raised():
        signal.raise_signal(signal.SIGHUP)
