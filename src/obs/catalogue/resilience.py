"""Circuit breakers and retries: what a service tells about the calls that it no longer makes, or makes again."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

STATES = ("closed", "half_open", "open")
#: `target` and not `service`: that label says who reports, never whom the breaker guards.
TARGET = Label("target", "What is called, such as another service.", bounded=False)
STATE = Label("state", "State of the breaker.", STATES)
TO = Label("to", "State that the breaker went into.", STATES)

BREAKER_STATE = Gauge(
    id="circuit_breaker.state",
    metric="circuit_breaker_state",
    help="1 for the state the breaker is in, 0 for the others.",
    unit="{state}",
    labels=(TARGET, STATE),
    across="max",
)
BREAKER_TRANSITIONS = Counter(
    id="circuit_breaker.transitions",
    metric="circuit_breaker_transitions_total",
    help="Changes of the breaker's state.",
    unit="{transition}",
    labels=(TARGET, TO),
)
CALLS = Counter(
    id="client.calls",
    metric="client_calls_total",
    help="Attempts to call the target, retries included.",
    unit="{call}",
    labels=(TARGET,),
)
RETRIES = Counter(
    id="client.retries",
    metric="client_retries_total",
    help="Attempts that repeated a failed one.",
    unit="{call}",
    labels=(TARGET,),
)

SIGNALS = (BREAKER_STATE, BREAKER_TRANSITIONS, CALLS, RETRIES)
