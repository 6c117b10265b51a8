"""Panels of the targets: what Prometheus sees of the service."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from obs.catalogue.target import SCRAPE_DURATION, SCRAPE_SAMPLES, UP
from obs.generate.derive.graphs import series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.guidance.versions import versions
from obs.generate.model import Panel, PanelThreshold, Query, Row


def row(ask: Queries) -> Row:
    """What Prometheus sees of the service."""
    up = Panel(
        key="targets-up",
        title="Targets up",
        description="1 while Prometheus can scrape the instance, 0 while it cannot.",
        unit="short",
        kind="timeseries",
        queries=(Query(f"min by (instance) ({ask.series(UP)})", "{{instance}}"),),
        thresholds=(PanelThreshold(Decimal(0), "red"), PanelThreshold(Decimal(1), "green")),
    )
    return Row(
        "Targets",
        (
            up,
            series("targets-scrape", "Duration of scrapes", "How long Prometheus takes to read an instance.", "s",
                    f"max by (instance) ({ask.series(SCRAPE_DURATION)})", "{{instance}}"),
            series("targets-samples", "Samples", "Samples that each instance exposes.", "short",
                    f"max by (instance) ({ask.series(SCRAPE_SAMPLES)})", "{{instance}}"),
            *_versions(ask),
        ),
    )  # fmt: skip


def _versions(ask: Queries) -> Iterator[Panel]:
    running = versions(ask, "environment")
    if running is not None:
        yield Panel(
            key="targets-versions",
            title="Versions",
            description="How many instances run which version; two in one environment mean a deployment goes on.",
            unit="short",
            kind="table",
            queries=(Query(running, "Instances", instant=True),),
        )
