"""Circuit breakers: what a service tells about the calls it no longer makes."""

from __future__ import annotations

from obs.catalogue.signal import Gauge, Label

#: `target` and not `service`: that label says who reports, never whom the breaker guards.
TARGET = Label("target", "What the breaker guards, such as the called service.", bounded=False)
STATE = Label("state", "State of the breaker.", ("closed", "half_open", "open"))

BREAKER_STATE = Gauge(
    id="circuit_breaker.state",
    metric="circuit_breaker_state",
    help="1 for the state the breaker is in, 0 for the others.",
    unit="{state}",
    labels=(TARGET, STATE),
    across="max",
)

SIGNALS = (BREAKER_STATE,)
