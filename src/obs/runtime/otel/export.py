"""Spans on their way out: a bounded queue, one lazy thread, and a collector that may be dead.

OpenTelemetry's own batch processor ignores the time limit of a flush and logs every failure;
here every wait has a deadline, losses are counted, and an outage is one line when it starts and
one when it ends.
"""

from __future__ import annotations

import collections
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias
from weakref import WeakMethod

from opentelemetry.context import Context, attach, detach, set_value
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from obs.runtime import guard, tally

Notify: TypeAlias = Callable[[str, str], None]
Factory: TypeAlias = Callable[[], SpanExporter]

#: Loggers of the exporter, which would report every single failure.
_NOISY = ("opentelemetry.exporter", "opentelemetry.sdk.trace.export")
_SUPPRESS = "suppress_instrumentation"


def quieten() -> None:
    """Silence the exporter's own log: the outage lines say the same, once."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class SpanQueue(SpanProcessor):
    """A bounded queue in front of an exporter that is made, and imported, on first use."""

    def __init__(
        self, factory: Factory, *, size: int, batch: int, interval: float, notify: Notify, target: str
    ) -> None:
        self._factory = factory
        self._size, self._batch, self._interval = size, batch, interval
        self._notify = notify
        self._target = target
        self._renew()
        if hasattr(os, "register_at_fork"):
            renew = WeakMethod(self._renew)
            os.register_at_fork(after_in_child=lambda: (method := renew()) and method())

    def _renew(self) -> None:
        """Start over with nothing queued: at creation, and in a forked child.

        A child needs an exporter of its own too: two processes must not write to one connection.
        """
        self._exporter: SpanExporter | None = None
        self._outage = False
        self._spans: collections.deque[ReadableSpan] = collections.deque()
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._urgent = False
        self._sending = 0
        self._lost = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do before a span has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span, or count it as dropped when the queue is full."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._stopping:
            tally.add("spans_dropped", "shutdown")
            return
        if len(self._spans) >= self._size:
            self._lost += 1
            tally.add("spans_dropped", "queue_full")
            return
        self._spans.append(span)
        if self._thread is None:
            self._start()
        if len(self._spans) >= self._batch and not self._urgent:
            self._hurry()

    def force_flush(self, timeout_millis: int = 3000) -> bool:
        """Send what is queued; return whether all of it was delivered within the time given."""
        deadline = time.monotonic() + timeout_millis / 1000
        with self._changed:
            lost = self._lost
            self._urgent = True
            self._changed.notify_all()
            while self._spans or self._sending:
                left = deadline - time.monotonic()
                if left <= 0 or self._thread is None:
                    return False
                self._changed.wait(left)
            return self._lost == lost

    def stop(self, timeout: float) -> bool:
        """Send what is queued within `timeout` seconds, give up on the rest, and end the thread."""
        delivered = self.force_flush(int(timeout * 1000))
        with self._changed:
            self._stopping = True
            left = len(self._spans) + self._sending
            self._spans.clear()
            self._changed.notify_all()
        if left:
            tally.add("spans_dropped", "shutdown", left)
        exporter, self._exporter = self._exporter, None
        if exporter is not None:
            # Interrupts the exporter's own waiting between attempts.
            with guard.contained("traces"):
                exporter.shutdown()
        return delivered

    def shutdown(self) -> None:
        """End without waiting; `stop` is the one with a deadline."""
        self.stop(0.0)

    def _hurry(self) -> None:
        with self._changed:
            self._urgent = True
            self._changed.notify_all()

    def _start(self) -> None:
        with self._changed:
            if self._thread is None and not self._stopping:
                thread = threading.Thread(target=self._work, name="obs-spans", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    # The interpreter is going down and starts no more threads.
                    guard.report("traces", error)
                    return
                self._thread = thread

    def _work(self) -> None:
        # Spans of the exporter's own HTTP client would export themselves for ever.
        token = attach(set_value(_SUPPRESS, True))
        try:
            while self._wait():
                self._send(self._take())
        finally:
            detach(token)

    def _wait(self) -> bool:
        """Wait until there is something to send; False when the queue was stopped."""
        with self._changed:
            if not self._urgent and not self._stopping:
                self._changed.wait(self._interval)
            while not self._spans and not self._stopping:
                self._urgent = False
                self._changed.notify_all()
                self._changed.wait(self._interval)
            return not self._stopping

    def _take(self) -> list[ReadableSpan]:
        with self._changed:
            count = min(self._batch, len(self._spans))
            batch = [self._spans.popleft() for _ in range(count)]
            self._sending = len(batch)
            return batch

    def _send(self, batch: Sequence[ReadableSpan]) -> None:
        delivered = False
        try:
            if self._exporter is None:
                self._exporter = self._factory()
            delivered = self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception as error:
            guard.report("traces", error)
        with self._changed:
            stopped = self._stopping
            if not delivered and not stopped:
                self._lost += len(batch)
            self._sending = 0
            self._changed.notify_all()
        if stopped:
            return
        if not delivered:
            tally.add("spans_dropped", "export_failed", len(batch))
        if delivered == self._outage:
            self._outage = not delivered
            self._tell()

    def _tell(self) -> None:
        with guard.contained("traces"):
            if self._outage:
                self._notify(
                    "warning", f"traces cannot be delivered to {self._target}; dropping and counting them"
                )
            else:
                self._notify("info", f"traces are delivered to {self._target} again")


def http_exporter(endpoint: str, headers: dict[str, str], timeout: float) -> SpanExporter:
    """Return the OTLP/HTTP exporter; importing it takes a tenth of a second, so only when needed."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    quieten()
    return OTLPSpanExporter(endpoint=endpoint, headers=headers or None, timeout=timeout)
