"""Every query of every dashboard is answered by the engines, and not with nothing where the shop makes data."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.engines.stack import grafana
from tests.engines.stack.conftest import LEFT_OUT, Scene
from tests.engines.stack.grafana import Query
from tests.engines.waiting import await_

from obs.stack import bundle

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

_DASHBOARDS = [file for file in sorted(bundle.root().glob("dashboards/*/*.json")) if file.stem != LEFT_OUT]

#: The services of the shop that answer requests.
_ASKED = ("storefront", "payments")
#: What may be empty, and why: a panel, or one query of it. Nothing else may, and a new panel is in nobody's list.
_MAY_BE_EMPTY = {
    **{f"{service}/Traffic/{which}": "there was no yesterday" for service in _ASKED for which in "BC"},
    **{f"{service}/Denied requests": "the shop denies nobody" for service in _ASKED},
    **{f"{service}/Observations beyond the cap": "no metric reaches it" for service in (*_ASKED, "worker")},
    **{f"{service}/Calls to others that timed out": "no call does" for service in _ASKED},
    "payments/Failed calls to others": "payments asks nobody",
    "payments/Error ratio of calls to others": "payments asks nobody",
    "fleet/Firing alerts": "nothing needs to fire",
    "fleet/Services/E": "nothing needs to fire",
    "fleet/Alerts over time": "nothing needs to fire",
    "fleet-slos/Error budgets/D": "a budget that burns is used up at once by so few requests",
    "collector/Not delivered": "nothing fails",
    "collector/Dropped": "nothing fails",
    "loki/Lines discarded": "nothing is discarded",
    "tempo/Spans discarded": "nothing is discarded",
}
#: What may be empty on every dashboard that has it.
_OFTEN_EMPTY = {"annotation Firing alerts": "nothing needs to fire"}
#: What the recorder in Tempo's place does not tell.
_WITHOUT_TEMPO = {
    f"tempo/{what}": "a recorder stands in Tempo's place"
    for what in ("Spans received", "Versions", "annotation Deployments")
}

#: Seconds that a stack is given to show everything; the limit only ends a failed test.
_WITHIN = 120.0


@pytest.mark.ripens
@pytest.mark.parametrize("file", _DASHBOARDS, ids=lambda file: file.stem)
def test_every_panel_of_a_dashboard_has_data(file: Path, scene: Scene, note: Callable[[str], None]) -> None:
    waiting = [
        one for one in grafana.queries(file) if one.kind != "tempo" or scene.stack.traces_by != "recorder"
    ]
    if len(waiting) < len(list(grafana.queries(file))):
        note("not run: queries in TraceQL (they want a real Tempo)")
    assert waiting
    deadline = time.monotonic() + _WITHIN
    while True:
        # What may be empty is asked all the same, once: no engine may refuse it.
        empty = [one for one in waiting if not _has_data(scene, one)]
        waiting = [one for one in empty if not _is_excused(scene, one)]
        if not waiting or time.monotonic() > deadline:
            break
        time.sleep(2)
    places = "\n".join(f"{one.place}: {' '.join(one.text.split())}" for one in waiting)
    assert not waiting, f"nothing to show in\n{places}"


def _is_excused(scene: Scene, query: Query) -> bool:
    excused = {*_MAY_BE_EMPTY, *(_WITHOUT_TEMPO if scene.stack.traces_by == "recorder" else ())}
    return bool({query.place, query.panel} & set(excused)) or query.title in _OFTEN_EMPTY


def _has_data(scene: Scene, query: Query) -> bool:
    """Ask as the panel would; what an engine refuses is a failure at once."""
    stack, now = scene.stack, time.time()
    window = {"start": now - 900, "end": now, "step": 15}
    try:
        if query.kind == "prometheus" and query.instant:
            return bool(stack.query(query.text))
        if query.kind == "prometheus":
            answer = stack.ask("prometheus", "/api/v1/query_range", query=query.text, **window)
        elif query.kind == "loki":
            answer = stack.ask("loki", "/loki/api/v1/query_range", query=query.text, **window)
        else:
            found = stack.ask(
                "tempo", "/api/search", q=query.text, start=int(now) - 900, end=int(now), limit=20
            )
            return bool(found["traces"])
    except urllib.error.HTTPError as refusal:
        raise AssertionError(
            f"{query.place}: {refusal.code} {refusal.read().decode()}: {query.text}"
        ) from None
    return bool(answer["data"]["result"])


def test_whatever_may_be_empty_is_there() -> None:
    known = [query for file in _DASHBOARDS for query in grafana.queries(file)]
    places = {place for query in known for place in (query.place, query.panel)}
    assert {*_MAY_BE_EMPTY, *_WITHOUT_TEMPO} <= places
    assert set(_OFTEN_EMPTY) <= {query.title for query in known}


@pytest.mark.ripens
@pytest.mark.parametrize("file", _DASHBOARDS, ids=lambda file: file.stem)
def test_every_variable_of_a_dashboard_has_values(file: Path, scene: Scene) -> None:
    for place, selector, label in grafana.label_queries(file):
        look = partial(_values, scene, selector, label)
        await_(look, f"{place}: a value of {label} in {selector}")


def _values(scene: Scene, selector: str, label: str) -> list[str]:
    found: list[str] = scene.stack.ask(
        "prometheus", f"/api/v1/label/{label}/values", **{"match[]": selector}
    )["data"]
    return found
