"""Keys that say which metrics a service has."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from obs.catalogue.everything import everything
from obs.catalogue.http import SERVER_REQUESTS
from obs.generate.spec.names import LABEL, METRIC, SAFE
from obs.generate.spec.shape.kinds import Choice, Either, Items, Key, Line, Number, Section, Table

#: Unit of a team's metric -> how many of them make a second.
SCALES: Mapping[str, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
SIGNALS: tuple[str, ...] = tuple(sorted(signal.id for signal in everything()))
#: A signal by its id; a contract may declare others than the bundled ones.
SIGNAL = Line("a signal of the contract", known="signal")

_NAME = Line("the name of a label such as path", LABEL)
_VALUE = Line("a value of a label", SAFE)
LABEL_VALUES = Table("LABEL", Items(Line("a value, or a class such as 5xx"), least=1, alone=True), least=1)
MAPPED_LABEL = Section(
    (
        Key("label", _NAME, "Name of the label in Prometheus.", True, example="status"),
        Key(
            "values",
            Either((Choice(("class",)), Table("VALUE", Items(_VALUE, least=1, alone=True)))),
            "What its values are called here: `class` where a status is written 5xx, or each value with what stands for it.",
            example="class",
        ),
    )
)
BAD = Section(
    (
        Key(
            "metric",
            Line("the name of a metric", METRIC),
            "Counter of the bad events alone.",
            True,
            example="orders_failed_total",
        ),
        Key(
            "when",
            Table("LABEL", Line("a value, a class such as 5xx, or *"), least=1, most=1),
            "What they have in common, in the catalogue's terms.",
            True,
            example='{result: "failure"}',
        ),
    )
)
MAPPED = Section(
    (
        Key(
            "metric",
            Line("the name of a metric", METRIC),
            "Full name of the metric; of a histogram without `_bucket`.",
            True,
            example=SERVER_REQUESTS.classic,
        ),
        Key(
            "labels",
            Table("LABEL", Either((_NAME, MAPPED_LABEL))),
            "The catalogue's labels by what they are called here; what is not named does not exist.",
            example="{http.route: path}",
        ),
        Key(
            "match",
            Table("LABEL", _VALUE, LABEL),
            "Labels that its series must have: the metric serves other purposes, too.",
            example="{handler: api}",
        ),
        Key("bad", BAD, "The metric that counts bad events, where no label tells them apart."),
        Key("unit", Choice(tuple(SCALES)), "Unit of a histogram.", default="s", example="ms"),
        Key(
            "buckets",
            Items(Number(low=Decimal(0)), least=1),
            "Finite bounds of a histogram, ascending, in its own unit; required of histograms.",
            example="[0.1, 0.5, 1]",
        ),
    )
)
MAPPING = Table("SIGNAL", MAPPED, defined="signal")
