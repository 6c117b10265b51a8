"""Event loops: how late they come to work that is ready."""

from __future__ import annotations

from obs.catalogue.signal import Gauge

LAG = Gauge(
    id="event_loop.lag",
    metric="event_loop_lag_seconds",
    help="How much later than asked a timer of the event loop last ran.",
    unit="s",
    across="max",
)

SIGNALS = (LAG,)
