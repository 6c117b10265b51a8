"""The current span of a moment, to come back to: a test may leave one open."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry import context as otel_context


def hold() -> Callable[[], None]:
    """Return what makes the span current again that is current now, or none where there is none."""
    before = otel_context.get_current()

    def restore() -> None:
        if otel_context.get_current() is not before:
            otel_context.attach(before)

    return restore
