"""A stream that is broken, full or shared: lines are lost and counted, the host goes on."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import obs
from obs.runtime import tally
from obs.runtime.stream import PATIENCE, Stream

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        with suppress(OSError):
            os.close(fd)


@pytest.fixture
def stdout() -> Iterator[Callable[[int], None]]:
    """Return what puts a file descriptor in the place of stdout until the test is over."""
    kept = os.dup(1)
    yield lambda fd: void(os.dup2(fd, 1))
    os.dup2(kept, 1)
    os.close(kept)


def void(_: object) -> None:
    return None


def fill(fd: int) -> int:
    """Make `fd` non-blocking and fill it; return how many bytes went in."""
    os.set_blocking(fd, False)
    done = 0
    try:
        while True:
            done += os.write(fd, b"x" * 4096)
    except BlockingIOError:
        return done


def test_a_line_is_one_write_however_long(stdout: Callable[[int], None]) -> None:
    # A socket that keeps what was written at once together shows where one write ended.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        stdout(ours.fileno())
        obs.init("shop", log_format="json")
        obs.log.info("short")
        logging.getLogger("lib").warning("long", extra={"note": ["x" * 5_000] * 8})
        obs.log.error("with a stack", exc_info=ValueError("x" * 20_000))
        theirs.settimeout(10)
        written = [theirs.recv(100_000) for _ in range(3)]
    for message, line in zip(("short", "long", "with a stack"), written, strict=True):
        assert line.count(b"\n") == 1
        assert json.loads(line)["message"] == message


def test_nobody_reads_any_more(stdout: Callable[[int], None], pipe: tuple[int, int]) -> None:
    obs.init("shop", log_format="json")
    os.close(pipe[0])
    stdout(pipe[1])
    for _ in range(3):
        obs.log.info("into a broken pipe")
    # The guard's own line about the first of them was lost as well.
    assert tally.count("logs_dropped", "stream") == 4
    assert tally.count("errors", "logs") >= 3


def test_the_descriptor_was_closed(stdout: Callable[[int], None]) -> None:
    obs.init("shop", log_format="json")
    os.close(1)
    obs.log.info("nowhere")
    assert tally.count("logs_dropped", "stream") == 2


def test_the_disk_is_full(stdout: Callable[[int], None]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    stdout(full)
    os.close(full)
    obs.init("shop", log_format="json")
    obs.log.info("no space")
    assert tally.count("logs_dropped", "stream") == 2


def test_a_line_that_the_disk_cut_does_not_spoil_the_next_one(
    stdout: Callable[[int], None], tmp_path: Path
) -> None:
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    stdout(file)
    os.close(file)
    obs.init("shop", log_format="json", log_repeat_limit=0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
        obs.log.info("cut", note="x" * 2_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    obs.log.info("whole")
    cut, whole = (tmp_path / "log").read_bytes().splitlines()
    assert b'"cut"' in cut
    assert json.loads(whole)["message"] == "whole"


def test_a_full_pipe_costs_its_patience_once(pipe: tuple[int, int]) -> None:
    fill(pipe[1])
    stream = Stream(pipe[1], patience=0.2)
    began = time.monotonic()
    with pytest.raises(BlockingIOError):
        stream.write(b"first\n")
    waited = time.monotonic() - began
    assert waited >= 0.2
    for _ in range(100):
        with pytest.raises(BlockingIOError):
            stream.write(b"later\n")
    # A hundred patiences would be twenty seconds.
    assert time.monotonic() - began < waited + 5


def test_a_pipe_that_is_read_again_gets_lines_again(pipe: tuple[int, int]) -> None:
    size = fill(pipe[1])
    stream = Stream(pipe[1], patience=0.01)
    with pytest.raises(BlockingIOError):
        stream.write(b"lost\n")
    os.read(pipe[0], size)
    stream.write(b"seen\n")
    assert os.read(pipe[0], 100) == b"seen\n"


def test_a_slow_reader_gets_the_whole_line(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    line = b"y" * 300_000 + b"\n"
    got = bytearray()

    def read() -> None:
        while len(got) < len(line):
            got.extend(os.read(pipe[0], 10_000))
            time.sleep(0.001)

    reader = threading.Thread(target=read)
    reader.start()
    Stream(pipe[1]).write(line)
    reader.join(10)
    assert bytes(got) == line


def test_what_was_written_in_part_is_ended_before_the_next_line(pipe: tuple[int, int]) -> None:
    fcntl.fcntl(pipe[1], 1031, 4096)  # F_SETPIPE_SZ
    os.set_blocking(pipe[1], False)
    stream = Stream(pipe[1], patience=0.01)
    with pytest.raises(BlockingIOError):
        stream.write(b"z" * 10_000)
    torn = os.read(pipe[0], 65_536)
    assert len(torn) < 10_000
    stream.write(b"next\n")
    assert os.read(pipe[0], 100) == b"\nnext\n"


def test_the_patience_is_a_second_as_documented() -> None:
    assert PATIENCE == 1.0


def test_a_signal_handler_may_log_while_its_thread_is_writing(lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=0)
    handler = signal.signal(signal.SIGALRM, lambda *_: obs.log.warning("from the handler"))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for number in range(3_000):
            obs.log.info("from the program", number=number)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    written = [line["number"] for line in lines() if line["message"] == "from the program"]
    assert written == list(range(3_000))


def test_a_line_of_a_handler_stands_after_the_one_that_it_interrupts_between_two_parts(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(pipe[1])
    long, short = b"a" * 6_000 + b"\n", b"short\n"
    real, left = os.write, [b"other " * 900 + b"\n", short]
    expected = long + b"".join(left)

    def in_parts(fd: int, data: bytes) -> int:
        # As a pipe that is nearly full takes it; then the handler comes.
        done = real(fd, data[:1_000])
        if left:
            stream.write(left.pop(0))
        return done

    monkeypatch.setattr(os, "write", in_parts)
    stream.write(long)
    monkeypatch.undo()
    assert os.read(pipe[0], 65_536) == expected


def test_a_line_after_one_that_an_exception_of_a_handler_cut_begins_anew(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(pipe[1])
    real = os.write

    def interrupted(fd: int, data: bytes) -> int:
        real(fd, data[:1_000])
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stream.write(b"a" * 6_000 + b"\n")
    monkeypatch.undo()
    stream.write(b"whole\n")
    stream.write(b"next\n")
    assert os.read(pipe[0], 65_536).splitlines()[1:] == [b"whole", b"next"]
