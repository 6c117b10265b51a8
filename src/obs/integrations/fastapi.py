"""FastAPI: Starlette's way, with FastAPI's own telemetry switched off for this application."""

from __future__ import annotations

from typing import Any

from obs.integrations import starlette


def instrument(app: Any, *, exclude: tuple[str, ...] = ()) -> None:
    """Instrument `app` and stop it from tracing itself, which would double every server span.

    Raises `ConfigError` when the application has started already.
    """
    starlette.instrument(app, exclude=exclude)
    # Since 0.142 FastAPI traces itself as soon as a provider exists; its switch is this mapping.
    own = getattr(app, "_telemetry", None)
    if isinstance(own, dict):
        own.update(tracing=False, metrics=False, logs=False)
