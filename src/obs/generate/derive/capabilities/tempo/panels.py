"""Panels of Tempo itself."""

from __future__ import annotations

from obs.catalogue.engines.tempo import REASON, SPANS_DISCARDED, SPANS_RECEIVED
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """What Tempo takes and refuses."""
    reason = ask.label(SPANS_DISCARDED, REASON.name)
    return Row(
        "Tempo",
        (
            series("tempo-spans", "Spans received", "Spans that arrive, a second.", "short",
                   f"sum (rate({ask.series(SPANS_RECEIVED)}[{RATE}]))", "spans"),
            series("tempo-discarded", "Spans discarded", "Spans refused for good, a second, by reason.", "short",
                   f"sum by ({reason}) (rate({ask.series(SPANS_DISCARDED)}[{RATE}]))", legend(reason)),
        ),
    )  # fmt: skip
