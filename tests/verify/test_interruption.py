"""Signals wait while something is started or stopped, and end the waiting at once."""

from __future__ import annotations

import os
import signal

import pytest

from obs.verify.interruption import Interruption


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    # Handlers run between bytecodes of the main thread; this makes sure that one has come.
    signal.sigtimedwait([], 0.01)


def test_a_signal_is_held_back_until_the_next_allowed_block() -> None:
    reached: list[str] = []
    with Interruption() as interruption:
        send(signal.SIGINT)
        reached.append("after the signal")
        with pytest.raises(KeyboardInterrupt), interruption.allowed():
            reached.append("never")
    assert reached == ["after the signal"]


def test_a_signal_in_an_allowed_block_ends_it_at_once() -> None:
    reached: list[str] = []

    def work() -> None:
        send(signal.SIGINT)
        reached.append("never")

    with Interruption() as interruption, pytest.raises(KeyboardInterrupt), interruption.allowed():
        work()
    assert reached == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_end_the_program_as_the_shell_expects(number: signal.Signals, code: int) -> None:
    with Interruption() as interruption, pytest.raises(SystemExit) as caught, interruption.allowed():
        send(number)
    assert caught.value.code == code


def test_a_second_signal_does_not_cut_the_clean_up_of_the_first() -> None:
    cleaned: list[str] = []

    def interrupted_again_while_cleaning() -> None:
        try:
            send(signal.SIGINT)
        finally:
            send(signal.SIGINT)
            cleaned.append("inside")

    def interrupted_thrice() -> None:
        with Interruption() as interruption:
            try:
                with interruption.allowed():
                    interrupted_again_while_cleaning()
            finally:
                send(signal.SIGINT)
                cleaned.append("outside")

    with pytest.raises(KeyboardInterrupt):
        interrupted_thrice()
    assert cleaned == ["inside", "outside"]


def test_what_is_held_at_the_end_is_raised_then() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        send(signal.SIGINT)


def test_the_handlers_from_before_come_back() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with Interruption():
        assert signal.getsignal(signal.SIGINT) != before[signal.SIGINT]
    assert {number: signal.getsignal(number) for number in before} == before
