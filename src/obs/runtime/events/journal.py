"""The journal of a process: one chain, written line by line to a file or to the log's stream."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from obs.runtime import clock, guard, recording
from obs.runtime.events.chain import ANCHOR, START, Chain, Key
from obs.runtime.events.lost import LOST
from obs.runtime.settings import Settings
from obs.runtime.stream import Stream


class Journal:
    """Writes events in the order of their numbers, from any thread; an event is lost, never raised."""

    def __init__(self, settings: Settings, key: Key | None, stream: Stream | None) -> None:
        self.path = settings.audit_file
        self._every = settings.audit_anchor_every
        self._key = key
        self._stream = stream
        self._fixed = {
            "service": settings.service,
            **{
                name: getattr(settings, name)
                for name in ("version", "environment")
                if getattr(settings, name)
            },
        }
        self._lock = threading.RLock()
        self._busy = False
        self._waiting: list[dict[str, Any]] = []
        self._chain = Chain(key)
        self._lost = 0
        self._told = False
        self._anchored = 0
        #: The open file, and the device and number by which it is known where it was rotated away.
        self._file: tuple[Stream, int, int] | None = None
        if self.path:
            # Found out now, when it can be said; a later failure only costs events.
            self._opened()

    @property
    def begun(self) -> bool:
        """Tell whether anything was written."""
        return self._chain.next > 0

    def write(self, record: Mapping[str, Any]) -> None:
        """Write `record` as the next line of the chain."""
        with self._lock:
            self._waiting.append(dict(record))
            if self._busy:
                # A signal handler in the middle of a line: the interrupted call writes both, in order.
                return
            self._drain()

    def _drain(self) -> None:
        """Write what waits; again where a signal handler added to it after the last look."""
        while self._waiting:
            self._busy = True
            try:
                while self._waiting:
                    self._begin()
                    self._append(self._waiting.pop(0))
                    if self._chain.next - self._anchored > self._every:
                        self._anchor()
            finally:
                self._busy = False

    def stop(self) -> None:
        """Write the closing anchor of a chain that has lines, and close the file."""
        with self._lock:
            self._drain()
            if self._chain.next > 0:
                self._anchor(final=True)
            if self._file is not None:
                with guard.contained("audit"):
                    os.fsync(self._file[0].fd)
                # First forgotten: a child that is forked in between must not close its number again.
                descriptor, self._file = self._file[0].fd, None
                os.close(descriptor)

    def renew(self) -> None:
        """Begin a chain of its own in a forked child; its first line names the parent's."""
        parent = self._chain.describe() if self._chain.next > 0 else self._chain.parent
        self._lock = threading.RLock()
        if self._stream is not None:
            self._stream.renew()
        if self._file is not None:
            self._file[0].renew()
        self._busy = False
        self._waiting = []
        self._chain = Chain(self._key, parent)
        self._lost = self._anchored = 0

    def _begin(self) -> None:
        if self._chain.next > 0:
            return
        start: dict[str, Any] = {
            "stream": "audit",
            "event": START,
            "signed": self._key is not None,
            "pid": os.getpid(),
        }
        if self._key is not None:
            start["key_id"] = self._key.id
        if self._chain.parent is not None:
            start["parent"] = self._chain.parent
        try:
            self._append(start)
        except BaseException:
            # Raised by a signal's handler: a chain without its first line would look cut. Nobody needs this one.
            self._chain = Chain(self._key, self._chain.parent)
            self._lost = 0
            raise

    def _anchor(self, *, final: bool = False) -> None:
        record: dict[str, Any] = {"stream": "audit", "event": ANCHOR}
        if self._key is not None:
            record["key_id"] = self._key.id
        if final:
            record["final"] = True
        line = self._append(record)
        self._anchored = self._chain.next
        if line is not None and self.path and self._stream is not None:
            # The copy that goes another way is what shows later that the file's end was cut off.
            with guard.contained("audit"):
                self._stream.write(line)

    def _append(self, record: Mapping[str, Any]) -> bytes | None:
        """Write one line; return it, or None when it was lost. Its number is used up either way."""
        number = self._chain.next
        try:
            lost = {"lost": self._lost} if self._lost else {}
            line = self._chain.link({"timestamp": _timestamp(clock.now()), **self._fixed, **record, **lost})
            shown = recording.recorder()
            if shown is not None and "event" not in record:
                shown.audit(line)
            # ASCII, so that whatever reads and writes it again keeps every value as it was signed.
            rendered = json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
            self._put(rendered)
        except BaseException as error:
            if self._chain.next > number:
                self._lost += 1
            if not isinstance(error, Exception):
                # Raised by a signal's handler: the number is used up, and what takes the next one says so.
                raise
            self._fail(str(record.get("stream")), error)
            return None
        self._lost = 0
        return rendered

    def _put(self, line: bytes) -> None:
        if self.path:
            self._opened().write(line)
        elif self._stream is not None:
            self._stream.write(line)
        else:
            raise OSError("there is no stream for audit events; set audit_file")

    def _opened(self) -> Stream:
        """Return the file, opened anew where it was rotated away."""
        if self._file is not None:
            stream, device, number = self._file
            try:
                found = os.stat(self.path)  # noqa: PTH116 - on the path of every event
            except OSError:
                found = None
            if found is not None and (found.st_dev, found.st_ino) == (device, number):
                return stream
            self._file = None
            os.close(stream.fd)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        now = os.fstat(descriptor)
        stream = Stream(descriptor, torn=_is_torn(self.path, now))
        self._file = (stream, now.st_dev, now.st_ino)
        return stream

    def _fail(self, stream: str, error: BaseException) -> None:
        LOST.inc(stream=stream if stream in {"audit", "security"} else "audit")
        guard.report("audit", error)
        if not self._told and sys.__stderr__ is not None:
            self._told = True
            with guard.contained("audit"):
                place = self.path or "the log's stream"
                os.write(2, f"obs: audit events cannot be written to {place}: {error}\n".encode())


def _timestamp(now: float) -> str:
    whole = int(now)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{text}.{int((now - whole) * 1_000_000):06d}Z"


def _is_torn(path: str, found: os.stat_result) -> bool:
    """Tell whether the last line of a file has no end: whoever wrote it was killed, or the disk was full."""
    if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        # Whoever writes events need not be allowed to read them.
        return False
    try:
        return os.pread(descriptor, 1, found.st_size - 1) != b"\n"
    finally:
        os.close(descriptor)
