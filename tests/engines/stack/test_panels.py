"""Every query of every dashboard is answered by the engines, and not with nothing where the shop makes data."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engines.stack import grafana
from tests.engines.stack.conftest import Scene
from tests.engines.stack.grafana import Query
from tests.engines.stack.rules import slow_records

from obs.stack import bundle

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

_DASHBOARDS = sorted(bundle.root().glob("dashboards/*/*.json"))

#: What may be empty, by the beginning of its place, and why. `*` stands for any dashboard.
_MAY_BE_EMPTY = {
    "*/Traffic/B": "there was no yesterday",
    "*/Traffic/C": "there was no yesterday",
    "*/Calls to others that timed out": "no call does",
    "*/Denied requests": "the shop denies nobody",
    "*/Observations beyond the cap": "no metric reaches it",
    "*/annotation Firing alerts": "nothing needs to fire",
    "fleet/Firing alerts": "nothing needs to fire",
    "fleet/Services/E": "nothing needs to fire",
    "fleet/Alerts over time": "nothing needs to fire",
    "payments/Failed calls to others": "payments asks nobody",
    "payments/Error ratio of calls to others": "payments asks nobody",
    "collector/Not delivered": "nothing fails",
    "collector/Dropped": "nothing fails",
    "loki/Lines discarded": "nothing is discarded",
    "tempo/Spans discarded": "nothing is discarded",
    # To be left out by the generator one day: engines tell their version by names of their own.
    **{
        f"{engine}/{panel}": "no engine has the metric of the SDK"
        for engine in ("alertmanager", "collector", "loki", "prometheus", "runbooks", "tempo")
        for panel in ("Versions", "annotation Deployments")
    },
}
#: What the recorder in Tempo's place does not know.
_WITHOUT_TEMPO = {"tempo/Spans received": "a recorder stands in Tempo's place"}

#: Seconds that a stack is given to show everything; the slowest rules record once a minute.
_WITHIN = 150.0


@dataclass(frozen=True)
class Busy:
    """The scene with something to show, until when it may take to show it, and what comes too seldom to wait for."""

    scene: Scene
    until: float
    slow: frozenset[str]


@pytest.fixture(scope="module")
def busy(scene: Scene) -> Busy:
    """Let charges and settlements fail for a while: panels of failures have something to show."""
    for service in ("payments", "worker-control"):
        scene.shop.faults(service, errors=0.5)
    time.sleep(6)
    scene.shop.faults("payments", latency=1.2)
    scene.shop.buy()
    for service in ("payments", "worker-control"):
        scene.shop.faults(service)
    return Busy(scene, time.monotonic() + _WITHIN, frozenset(slow_records(scene)))


@pytest.mark.parametrize("file", _DASHBOARDS, ids=lambda file: file.stem)
def test_every_panel_of_a_dashboard_has_data(file: Path, busy: Busy, note: Callable[[str], None]) -> None:
    waiting = [
        one
        for one in grafana.queries(file)
        if one.kind != "tempo" or busy.scene.stack.traces_by != "recorder"
    ]
    if len(waiting) < len(list(grafana.queries(file))):
        note("not run: queries in TraceQL (they want a real Tempo)")
    assert waiting
    while True:
        waiting = [one for one in waiting if not _is_excused(busy, one) and not _has_data(busy.scene, one)]
        if not waiting or time.monotonic() > busy.until:
            break
        time.sleep(2)
    empty = "\n".join(f"{one.place}: {' '.join(one.text.split())}" for one in waiting)
    assert not waiting, f"nothing to show in\n{empty}"


def _is_excused(busy: Busy, query: Query) -> bool:
    excused = dict(_MAY_BE_EMPTY)
    if busy.scene.stack.traces_by == "recorder":
        excused |= _WITHOUT_TEMPO
    board = query.place.partition("/")[0]
    return query.place.startswith(tuple(place.replace("*", board) for place in excused)) or any(
        name in query.text for name in busy.slow
    )


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


@pytest.mark.parametrize("file", _DASHBOARDS, ids=lambda file: file.stem)
def test_every_variable_of_a_dashboard_has_values(file: Path, busy: Busy) -> None:
    for place, selector, label in grafana.label_queries(file):
        if any(name in selector for name in busy.slow):
            continue
        found = busy.scene.stack.ask("prometheus", f"/api/v1/label/{label}/values", **{"match[]": selector})
        assert found["data"], f"{place}: no value of {label} in {selector}"
