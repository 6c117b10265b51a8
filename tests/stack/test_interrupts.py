"""Ctrl-C inside a held block arrives after it."""

from __future__ import annotations

import signal
import threading

import pytest

from obs.stack import interrupts


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
