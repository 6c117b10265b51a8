"""Keys of what a service promises."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import get_args

from obs.generate.model.slo import DEFAULT_MAX_GROUPS, Buckets
from obs.generate.spec.names import NAME
from obs.generate.spec.shape.kinds import Choice, Items, Key, Line, Number, Section, Span, Table, Text, Whole
from obs.generate.spec.shape.signals import LABEL_VALUES, SIGNAL

#: A budget below one in a million would need a year of a busy service to be measured.
HIGHEST = Decimal("99.9999")
#: One failed request must not page anybody, three are no accident.
DEFAULT_MIN_BAD_EVENTS = 3
#: What one label set costs is about twenty series.
MOST_GROUPS = 1000
MOST_LABELS = 4
BUCKETS: tuple[Buckets, ...] = get_args(Buckets)
SERIES = re.compile(r'[a-zA-Z_:][\w:]*(?:\{(?:\s*[a-zA-Z_]\w*="[^"\\{}]*"\s*,?)*\})?\Z')

_SERIES = Items(Line('a series such as x_total{result="ok"}', SERIES), least=1, alone=True)
_PROMQL = Text("PromQL that counts events over {{window}}")
RATIO = Section(
    (
        Key("total", SIGNAL, "Counter of all events.", True, example="http.server.requests"),
        Key(
            "bad",
            LABEL_VALUES,
            "Labels that bad events have, all of them.",
            True,
            example="{http.response.status_code: 5xx}",
        ),
    )
)
LATENCY = Section(
    (
        Key("signal", SIGNAL, "Histogram of durations.", True, example="http.server.duration"),
        Key("under", Span(), "What is good; of classic buckets a declared bound.", True, example="500ms"),
        Key("buckets", Choice(BUCKETS), "How the histogram is stored.", default="classic", example="native"),
    )
)
FRESHNESS = Section(
    (
        Key(
            "signal",
            SIGNAL,
            "Gauge that holds a time in seconds since 1970.",
            True,
            example="job.last_success",
        ),
        Key("under", Span(), "The greatest age that is good, at least a minute.", True, example="1h"),
        Key("where", LABEL_VALUES, "Labels of the series that count.", example="{job.name: nightly}"),
    )
)
CUSTOM = Section(
    (
        Key(
            "total",
            _PROMQL,
            "All events; the hole is a range.",
            True,
            example="sum by (service, environment) (increase(x_total[{{window}}]))",
        ),
        Key(
            "bad",
            _PROMQL,
            "The bad ones among them.",
            True,
            example='sum by (service, environment) (increase(x_total{ok="no"}[{{window}}]))',
        ),
        Key(
            "series",
            Section(
                (
                    Key(
                        "good",
                        _SERIES,
                        "Series that count good events.",
                        True,
                        example="'x_total{ok=\"yes\"}'",
                    ),
                    Key(
                        "bad", _SERIES, "Series that count bad events.", True, example="'x_total{ok=\"no\"}'"
                    ),
                )
            ),
            "What the generated tests feed into both.",
            True,
        ),
    )
)
SLI = Section(
    (
        Key("ratio", RATIO, "Bad events over all events of a counter."),
        Key("latency", LATENCY, "Events of a histogram that took too long."),
        Key("freshness", FRESHNESS, "Minutes in which a timestamp was too old."),
        Key("custom", CUSTOM, "PromQL of your own."),
    ),
    one_of=(("ratio", "latency", "freshness", "custom"),),
)
SLO = Section(
    (
        Key(
            "objective",
            Number(Decimal(1), HIGHEST),
            "Percentage of events that are good.",
            True,
            example="99.9",
        ),
        Key(
            "window", Span(), "Period of the budget, whole days from 7d to 90d.", default="30d", example="28d"
        ),
        Key("sli", SLI, "What it is measured by: exactly one kind.", True),
        Key(
            "by",
            Items(Line("a label of the events"), 1, MOST_LABELS),
            "Labels that have a budget of their own each.",
            example="[http.route]",
        ),
        Key(
            "max_groups",
            Whole(1, MOST_GROUPS),
            "How many budgets are expected at most; needs `by`.",
            default=str(DEFAULT_MAX_GROUPS),
            example="20",
        ),
        Key(
            "min_bad_events",
            Whole(1, 1_000_000),
            "Fewer bad events than these alert nobody.",
            default=str(DEFAULT_MIN_BAD_EVENTS),
            example="10",
        ),
        Key("exclude", LABEL_VALUES, "Events that do not count.", example="{http.route: /healthz}"),
    ),
    needs=(("max_groups", "by"),),
)
SLOS = Table("NAME", SLO, NAME)
