"""Which version runs is asked of whoever tells it: the SDK, or an engine of the stack itself."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from obs.generate.derive.dashboards.fleet import derive_fleet
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.guidance.versions import build_of
from obs.generate.model import Dashboard, Service
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[3] / "specs"
_BUILD = r"\b\w+_build_info\b"


@cache
def _services() -> dict[str, Service]:
    return {service.name: service for service in load([SPECS / "shop", SPECS / "stack"])}


def _asked(dashboard: Dashboard) -> tuple[set[str], set[str]]:
    """Return the metrics that the panel asks, and those of the marks."""
    panels = (panel for row in dashboard.rows for panel in row.panels if panel.key.endswith("-versions"))
    marks = (mark for mark in dashboard.annotations if mark.name == "Deployments")
    return (
        {name for panel in panels for query in panel.queries for name in re.findall(_BUILD, query.expr)},
        {name for mark in marks for name in re.findall(_BUILD, mark.expr)},
    )


@pytest.mark.parametrize("name", ["alertmanager", "loki", "prometheus", "tempo"])
def test_an_engine_is_asked_for_what_it_tells_itself(name: str) -> None:
    own = {f"{name}_build_info"}
    assert _asked(derive_dashboard(_services()[name], [])) == (own, own)


@pytest.mark.parametrize("name", ["payments", "runbooks"])
def test_what_is_ours_is_asked_for_what_obs_tells(name: str) -> None:
    own = {"obs_build_info"}
    assert _asked(derive_dashboard(_services()[name], [])) == (own, own)


def test_the_collector_tells_no_version_so_nothing_asks_for_it() -> None:
    assert build_of(_services()["collector"]) is None
    assert _asked(derive_dashboard(_services()["collector"], [])) == (set(), set())


def test_the_overview_asks_for_all_of_them() -> None:
    names = ("alertmanager", "loki", "obs", "prometheus", "tempo")
    own = {f"{name}_build_info" for name in names}
    assert _asked(derive_fleet(tuple(_services().values()))) == (own, own)
