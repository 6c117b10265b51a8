"""Records on their way out: a bounded queue, one lazy thread, and a collector that may be dead.

OpenTelemetry's own batch processor ignores the time limit of a flush and logs every failure; here
every wait has a deadline, losses are counted, and the thread is away while the process forks.
"""

from __future__ import annotations

import collections
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from opentelemetry.context import attach, detach, set_value

from obs.runtime import guard, tally
from obs.runtime.otel.answer import Answer, Channel
from obs.runtime.otel.outage import Outage

T = TypeVar("T")

_SUPPRESS = "suppress_instrumentation"
#: Seconds between two attempts: the first, the most, and the most that a collector may ask for.
_FIRST_WAIT, _LONGEST_WAIT, _LONGEST_ASKED = 0.1, 30.0, 300.0
#: Failed attempts in a row after which a flush gives up, and after which an outage is told.
_HOPELESS, _TOLD = 3, 5
#: Seconds that a fork waits for what is being sent, for the thread, and for its first imports.
_FORK_SEND, _FORK_JOIN, _FORK_IMPORT = 0.2, 0.5, 10.0


class Limits(NamedTuple):
    """How many records wait and travel at once, and how long; times in seconds."""

    size: int
    batch: int
    interval: float
    timeout: float


class ExportQueue(Generic[T]):
    """A bounded queue in front of a channel that is made, and imported, on first use."""

    def __init__(
        self,
        channel: Callable[[], Channel[T]],
        limits: Limits,
        outage: Outage,
        *,
        dropped: tally.Kind,
        thread: str,
    ) -> None:
        self._make = channel
        self._limits = limits
        self._outage = outage
        self._kind, self._name = dropped, thread
        self._channel: Channel[T] | None = None
        self._reset()

    def _reset(self) -> None:
        self._waiting: collections.deque[T] = collections.deque()
        #: The batch that is being sent, or waits to be sent again.
        self._in_hand: list[T] = []
        # Taken by itself and not as the condition, whose own way in is written in Python: an exception that a
        # signal's handler raises there leaves it locked for ever.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._importing = False
        self._stopping = False
        #: Forks that are about to happen.
        self._holds = 0
        #: Until when somebody waits in a flush; None when nobody does.
        self._urgent: float | None = None
        #: Counts the flushes that were given up, and the records that were lost.
        self._hopeless = self._lost = 0
        #: Since when and how often deliveries have failed in a row, why, and when to try again.
        self._failing, self._attempts, self._reason = 0.0, 0, ""
        self._not_before = self._asked_until = 0.0
        #: Held by who sends from a thread of the host's, and that thread.
        self._here = threading.Lock()
        self._sender = 0

    def put(self, item: T) -> None:
        """Queue `item`, or count it as dropped."""
        waiting = self._waiting
        if self._stopping:
            self._drop("shutdown", 1)
        elif len(waiting) >= self._limits.size:
            self._drop("queue_full", 1)
        else:
            waiting.append(item)
            if self._thread is None:
                self._start()
            if len(waiting) == self._limits.batch:
                with self._lock:
                    self._changed.notify_all()

    def hurry(self, timeout: float) -> None:
        """Begin to send what is queued, without waiting for it."""
        with self._lock:
            if not self._waiting and not self._in_hand:
                return
            self._urgent = max(self._urgent or 0.0, time.monotonic() + timeout)
            self._changed.notify_all()
        self._start()

    def flush(self, timeout: float) -> bool:
        """Send what is queued; return whether all of it was delivered within `timeout` seconds."""
        ends = time.monotonic() + timeout
        lost, hopeless = self._lost, self._hopeless
        self.hurry(timeout)
        with self._lock:
            while self._waiting or self._in_hand:
                left = ends - time.monotonic()
                if left <= 0 or self._hopeless != hopeless:
                    return False
                if self._thread is None:
                    break
                self._changed.wait(left)
        # At the end of the interpreter no thread can be started any more.
        return self._send_here(ends) and self._lost == lost

    def stop(self, timeout: float) -> bool:
        """Send what is queued within `timeout` seconds, give up on the rest, and end the thread."""
        delivered = self.flush(timeout)
        with self._lock:
            self._stopping = True
            left = len(self._waiting) + len(self._in_hand)
            self._waiting.clear()
            self._in_hand = []
        if left:
            self._outage.abandon(left, self._reason or "no answer in time")
            self._drop("shutdown", left)
        self._end_thread()
        if self._channel is not None:
            self._channel.close()
        return delivered

    def hold(self) -> None:
        """End the thread before a fork: in a child it would be gone, with whatever it had locked."""
        with self._lock:
            if self._thread is None:
                self._holds += 1
                return
        if not self._attempts:
            # The thread comes back with the next record, and what waits now may be the last for long.
            self.flush(_FORK_SEND)
        with self._lock:
            self._holds += 1
            self._changed.notify_all()
            first = self._importing
            ends = time.monotonic() + _FORK_IMPORT
            # A module that is half imported at a fork can never be imported in the child.
            while self._importing and (left := ends - time.monotonic()) > 0:
                self._changed.wait(left)
            ends = time.monotonic() + _FORK_SEND
            # What the imports were for is on its way only now. Cut off it would arrive twice.
            while first and self._in_hand and not self._attempts and (left := ends - time.monotonic()) > 0:
                self._changed.wait(left)
        self._end_thread()

    def resume(self) -> None:
        """Allow the thread again. It starts with the next record: Python 3.12 warns of one right here."""
        with self._lock:
            self._holds = max(0, self._holds - 1)
            if self._channel is not None and not self._holds:
                self._channel.proceed()

    def renew(self) -> None:
        """Start over with nothing queued, in a forked child: what waits is the parent's to send."""
        self._reset()
        self._outage.on = False
        channel, self._channel = self._channel, None
        if channel is not None:
            # The copy of a connection that the parent goes on with.
            channel.close()

    def _end_thread(self) -> None:
        with self._lock:
            thread = self._thread
            self._changed.notify_all()
        if thread is None or thread is threading.current_thread():
            return
        ends = time.monotonic() + _FORK_JOIN
        while thread.ident is None and time.monotonic() < ends:
            # Another thread is just starting it.
            time.sleep(0.0002)
        if thread.ident is None:
            return
        thread.join(0.05)
        if thread.is_alive() and self._channel is not None:
            self._channel.interrupt()
            thread.join(_FORK_JOIN)
        _await_end(thread)

    def _over(self) -> bool:
        return self._stopping or self._holds > 0

    def _lacks_thread(self) -> bool:
        return self._thread is None and not self._over()

    def _start(self) -> None:
        if not self._lacks_thread():
            return
        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        try:
            with self._lock:
                if not self._lacks_thread():
                    return
                self._thread = thread
            # Without the lock, because starting takes a while in which a signal may come: its handler
            # flushes, and would wait for a lock that the thread it interrupts holds.
            thread.start()
        except RuntimeError:
            # The interpreter is going down: a flush sends by itself.
            self._thread_is_over(thread)
        except BaseException:
            # Should it run after all, it ends as soon as it sees that it is not the one.
            self._thread_is_over(thread)
            raise

    def _thread_is_over(self, thread: threading.Thread) -> None:
        with self._lock:
            if self._thread is thread:
                self._thread = None
            self._changed.notify_all()

    def _work(self) -> None:
        # Spans of the connection's own making would export themselves for ever.
        token = attach(set_value(_SUPPRESS, True))
        try:
            while self._wait():
                self._attempt(self._limits.timeout)
                self._pause()
        except Exception as error:
            guard.report("traces", error)
        finally:
            detach(token)
            self._thread_is_over(threading.current_thread())

    def _wait(self) -> bool:
        """Wait until there is something to send; False when the thread is to end."""
        with self._lock:
            waited = False
            while not self._over() and self._thread is threading.current_thread():
                if self._in_hand or len(self._waiting) >= self._limits.batch:
                    return True
                if self._waiting and (waited or self._urgent is not None):
                    return True
                if not self._waiting:
                    self._urgent = None
                    self._changed.notify_all()
                    if self._channel is not None:
                        self._channel.close()
                self._changed.wait(self._limits.interval)
                # What came while nothing else waited is on its way for part of an interval, not for one more.
                waited = True
            return False

    def _attempt(self, timeout: float) -> None:
        """Send one batch once; it stays in hand when that may be tried again."""
        with self._lock:
            if not self._in_hand:
                count = min(self._limits.batch, len(self._waiting))
                self._in_hand = [self._waiting.popleft() for _ in range(count)]
            batch = self._in_hand
        began = time.monotonic()
        answer = self._deliver(batch, timeout)
        with self._lock:
            # Another one, when the queue was stopped meanwhile and has counted the batch.
            if self._in_hand is batch:
                self._note(answer, batch, began)
            if not self._waiting and not self._in_hand:
                # Whoever flushed has an answer now; what comes next is not hurried by that flush.
                self._urgent = None
            self._changed.notify_all()

    def _deliver(self, batch: Sequence[T], timeout: float) -> Answer:
        try:
            channel = self._channel or self._open()
        except Exception as error:
            guard.report("traces", error)
            return Answer("unreachable", f"{type(error).__name__}: {error}")
        try:
            return channel.deliver(batch, timeout)
        except Exception as error:
            guard.report("traces", error)
            return Answer("rejected", f"{type(error).__name__} while encoding")

    def _open(self) -> Channel[T]:
        self._importing = True
        try:
            self._channel = channel = self._make()
        finally:
            self._importing = False
            with self._lock:
                self._changed.notify_all()
        return channel

    def _note(self, answer: Answer, batch: Sequence[T], began: float) -> None:
        self._reason = answer.reason
        if answer.verdict == "delivered":
            self._in_hand = []
            self._failing, self._attempts, self._not_before = 0.0, 0, 0.0
            self._outage.end()
            if answer.refused:
                self._drop("rejected", min(answer.refused, len(batch)))
                self._outage.refused(answer.refused, len(batch))
            return
        now = time.monotonic()
        self._attempts += 1
        self._failing = self._failing or began
        if answer.verdict == "rejected":
            self._outage.begin(answer.reason, self._failing)
            self._give_up("rejected")
            return
        backoff = min(_FIRST_WAIT * 2.0 ** min(self._attempts - 1, 16), _LONGEST_WAIT)
        self._asked_until = now + min(answer.wait, _LONGEST_ASKED)
        self._not_before = max(now + backoff, self._asked_until)
        lasting = now - self._failing >= self._limits.timeout
        # Told at once, not at the next attempt: that may be minutes away, and the queue drops meanwhile.
        asked_for_long = self._asked_until - self._failing >= self._limits.timeout
        if lasting or asked_for_long or self._attempts >= _TOLD:
            self._outage.begin(answer.reason, self._failing)
        if lasting and len(self._waiting) * 2 >= self._limits.size:
            self._give_up("export_failed")
        if self._urgent is not None and answer.verdict == "unreachable" and self._attempts >= _HOPELESS:
            self._end_flushes()

    def _pause(self) -> None:
        """Wait until the collector may be asked again, or somebody comes who wants to know now."""
        with self._lock:
            flushing = self._urgent is not None
            while not self._over() and (left := self._not_before - time.monotonic()) > 0:
                if self._urgent is not None:
                    if not flushing and time.monotonic() >= self._asked_until:
                        return
                    if self._not_before > self._urgent:
                        self._end_flushes()
                        flushing = False
                self._changed.wait(left)

    def _end_flushes(self) -> None:
        self._urgent = None
        self._hopeless += 1
        self._changed.notify_all()

    def _give_up(self, reason: str) -> None:
        amount, self._in_hand = len(self._in_hand), []
        self._drop(reason, amount)

    def _drop(self, reason: str, amount: int) -> None:
        self._lost += amount
        tally.add(self._kind, reason, amount)
        self._outage.cost(amount)

    def _send_here(self, ends: float) -> bool:
        """Send from the calling thread, each batch once."""
        if not self._waiting and not self._in_hand:
            return True
        attempts, here = self._attempts, threading.get_ident()
        # What a signal handler has interrupted goes on after us; another thread may be at it, too.
        if self._sender == here or not self._here.acquire(timeout=max(0.0, ends - time.monotonic())):
            return False
        try:
            self._sender = here
            while self._waiting or self._in_hand:
                left = ends - time.monotonic()
                if left <= 0:
                    return False
                self._attempt(left)
                if self._attempts > attempts:
                    return False
        finally:
            self._sender = 0
            self._here.release()
        return True


def _await_end(thread: threading.Thread) -> None:
    """Wait for the system's thread too: Python 3.12 counts those at a fork, and joins one before it is gone."""
    ends = time.monotonic() + _FORK_JOIN
    place = f"/proc/self/task/{thread.native_id}"
    while not thread.is_alive() and time.monotonic() < ends and os.path.exists(place):  # noqa: PTH110
        time.sleep(0.0002)
