"""Something happens once in the middle of an operation, in its own thread: at each place where that can be.

A signal's handler, what the garbage collector runs, and an exception that a handler raises come between two
instructions: after a call, at the start of a function, and where a loop goes back. Here they come there on
purpose, one place a run, so that what a real signal hits once in a million runs is hit in each.
"""

from __future__ import annotations

import dis
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any

import obs

#: Whose code is interrupted: ours, and what of the standard library is written in Python and keeps our locks.
_OURS = obs.__file__.removesuffix("__init__.py")
_ALSO = (threading.__file__, weakref.__file__)
#: After these Python looks for signals, and at the goal of those; since 3.12 the garbage collector runs nowhere
#: else either.
_CALLS = tuple(number for name, number in dis.opmap.items() if name.startswith(("CALL", "RESUME")))
_JUMPS = tuple(dis.opmap[name] for name in ("JUMP_BACKWARD", "JUMP_ABSOLUTE") if name in dis.opmap)
_NOTHING = ("CACHE", "EXTENDED_ARG")


class Place:
    """One place; `seen` tells whether the operation came there."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.seen = ""

    @contextmanager
    def interrupted_by(self, intrusion: Callable[..., object], *arguments: Any) -> Iterator[None]:
        """Call `intrusion` at this place of what the block does; what it raises is raised there."""
        before = sys.gettrace()

        def enter(frame: FrameType, event: str, _: Any) -> Any:
            file = frame.f_code.co_filename
            if not file.startswith(_OURS) and file not in _ALSO:
                return None
            # First this one: without it Python 3.13 does not hear the second.
            frame.f_trace = step
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            return step

        def step(frame: FrameType, event: str, _: Any) -> Any:
            if event == "opcode" and not self.seen and frame.f_lasti in _places(frame.f_code):
                self._left -= 1
                if self._left < 0:
                    self.seen = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                    sys.settrace(before)
                    intrusion(*arguments)
            return step

        sys.settrace(enter)
        try:
            yield
        finally:
            sys.settrace(before)


@contextmanager
def patience(seconds: int = 60) -> Iterator[None]:
    """Fail, in the main thread, instead of waiting for ever for what this very thread holds."""

    def give_up(*_: object) -> None:
        raise AssertionError("it waits for itself")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def everywhere(most: int = 2_000) -> Iterator[Place]:
    """Yield place after place until an operation ends before it comes to one."""
    for number in range(most):
        place = Place(number)
        yield place
        if not place.seen:
            assert number > 0, "nothing of obs was interrupted"
            return
    raise AssertionError(f"an operation with more than {most} places is too large for this")


@cache
def _places(code: CodeType) -> frozenset[int]:
    """Return the offsets of the instructions before which something may come."""
    found = set()
    looks = True
    for instruction in dis.get_instructions(code):
        if instruction.opname in _NOTHING:
            continue
        if looks:
            found.add(instruction.offset)
        looks = instruction.opcode in _CALLS and "INTRINSIC" not in instruction.opname
        if instruction.opcode in _JUMPS and instruction.argval <= instruction.offset:
            found.add(instruction.argval)
    return frozenset(found)
