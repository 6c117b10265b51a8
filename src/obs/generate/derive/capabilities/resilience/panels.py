"""Panels of circuit breakers and retries."""

from __future__ import annotations

from obs.catalogue.resilience import (
    BREAKER_STATE,
    BREAKER_TRANSITIONS,
    CALLS,
    RETRIES,
    STATE,
    TARGET,
    TO,
)
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """Return what guards the calls to others."""
    target, changed = ask.label(BREAKER_STATE, TARGET.name), ask.label(BREAKER_TRANSITIONS, TARGET.name)
    called, to = ask.label(CALLS, TARGET.name), ask.label(BREAKER_TRANSITIONS, TO.name)
    cut = ask.series(BREAKER_STATE, (STATE.name, "=~", "open|half_open"))
    calls, retries = f"rate({ask.series(CALLS)}[{RATE}])", f"rate({ask.series(RETRIES)}[{RATE}])"
    return Row(
        "Resilience",
        (
            series("resilience-open", "Breakers that are not closed", "Instances whose breaker for a target is open or tries.",
                   "short", f"sum by ({target}) ({cut})", legend(target)),
            series("resilience-transitions", "Changes of breakers", "Changes a second, by target and new state.", "ops",
                   f"sum by ({changed}, {to}) (rate({ask.series(BREAKER_TRANSITIONS)}[{RATE}]))", legend(changed, to)),
            series("resilience-retries", "Share of retries", "Share of the calls to each target that repeat a failed one.",
                   "percentunit",
                   f"(sum by ({called}) ({retries}) or 0 * sum by ({called}) ({calls})) / sum by ({called}) ({calls})",
                   legend(called)),
        ),
    )  # fmt: skip
