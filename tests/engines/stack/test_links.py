"""Each link that Grafana, an alert or a notification offers leads somewhere: its query is sent and answered."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import yaml
from tests.engines.stack import grafana
from tests.engines.stack.conftest import Scene
from tests.engines.stack.traces import Span
from tests.engines.waiting import await_

from obs.stack import bundle

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

_SOURCES = grafana.data_sources(bundle.path("stack", "grafana", "provisioning", "datasources", "obs.yml"))
_RULES = sorted(file for kind in ("prometheus", "loki") for file in bundle.path("alerts", kind).glob("*.yml"))
#: What an alert's templates stand for when it concerns the shop here.
_TEMPLATE = re.compile(r"\{\{\s*(?P<expression>.*?)\s*\}\}")


@pytest.fixture
def spans(scene: Scene) -> list[Span]:
    """Return the spans of the golden request, once all of them have arrived."""

    def both() -> list[Span]:
        found = scene.stack.trace(scene.story.golden)
        return found if {span.service for span in found} == {"storefront", "payments"} else []

    return await_(both, "the order's trace is found")


def _followed(scene: Scene, source: str, trace_id: str) -> list[Span]:
    """Look a trace up as Explore does when a link names a data source and an id, on a page of the last quarter hour."""
    assert _SOURCES[source]["type"] == "tempo"
    around = _SOURCES[source]["jsonData"]["traceQuery"]
    assert around["timeShiftEnabled"]
    now = int(time.time())
    # The one is subtracted and the other added, other than for the links of a span.
    return scene.stack.trace(
        trace_id,
        start=now - 900 - grafana.seconds(around["spanStartTimeShift"]),
        end=now + grafana.seconds(around["spanEndTimeShift"]),
    )


def _around(link: dict[str, Any], span: Span) -> dict[str, int]:
    """Return the seconds between which Explore asks when the link of a span is followed."""
    return {
        "start": span.start // 10**9 + grafana.seconds(link["spanStartTimeShift"]),
        "end": span.end // 10**9 + grafana.seconds(link["spanEndTimeShift"]),
    }


def test_every_exemplar_of_the_latency_panel_leads_to_its_trace(scene: Scene, spans: list[Span]) -> None:
    (link,) = _SOURCES["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    query = 'http_server_request_duration_seconds_bucket{service="storefront"}'

    def exemplars() -> set[str]:
        now = time.time()
        answer = scene.stack.ask(
            "prometheus", "/api/v1/query_exemplars", query=query, start=now - 900, end=now
        )
        return {one["labels"][link["name"]] for series in answer["data"] for one in series["exemplars"]}

    dead = await_(exemplars, "there are exemplars")

    def all_found() -> bool:
        # What was sampled just now is still on its way to the trace store; a dead link stays dead.
        found = {trace_id for trace_id in dead if _followed(scene, link["datasourceUid"], trace_id)}
        dead.difference_update(found)
        return not dead

    await_(all_found, "every exemplar leads to a trace", instead=lambda: f"nothing of {dead}")


def test_a_line_leads_to_its_trace(scene: Scene, spans: list[Span]) -> None:
    (field,) = _SOURCES["loki"]["jsonData"]["derivedFields"]
    assert field["matcherType"] == "label"
    found = await_(
        lambda: scene.stack.lines(f'{{service="storefront"}} | trace_id="{spans[0].trace_id}"'),
        "its lines are found",
    )
    # The matcher looks at labels and structured metadata alike.
    (name,) = [name for name in found[0] if re.search(field["matcherRegex"], name)]
    value = field["url"].replace("${__value.raw}", str(found[0][name]))
    assert _followed(scene, field["datasourceUid"], value)


def test_each_span_leads_to_its_lines(scene: Scene, spans: list[Span]) -> None:
    link = _SOURCES["tempo"]["jsonData"]["tracesToLogsV2"]
    assert link["customQuery"]
    assert _SOURCES[link["datasourceUid"]]["type"] == "loki"
    for span in spans:
        query = (
            link["query"].replace("${__tags}", _tags(link, span)).replace("${__trace.traceId}", span.trace_id)
        )
        assert "$" not in query
        asked = {"query": query, "limit": 1000, **_around(link, span)}
        assert await_(partial(_found, scene, "loki", "/loki/api/v1/query_range", asked), str(asked))


def test_each_span_leads_to_its_service_s_metrics(scene: Scene, spans: list[Span]) -> None:
    link = _SOURCES["tempo"]["jsonData"]["tracesToMetrics"]
    assert _SOURCES[link["datasourceUid"]]["type"] == "prometheus"
    assert link["queries"]
    for span in spans:
        for one in link["queries"]:
            query = grafana.fill_in(one["query"], {"__tags": _tags(link, span)})
            asked = {"query": query, "step": 15, **_around(link, span)}
            assert await_(partial(_found, scene, "prometheus", "/api/v1/query_range", asked), str(asked))


def _found(scene: Scene, server: str, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = scene.stack.ask(server, path, **asked)["data"]["result"]
    return result


def _tags(link: dict[str, Any], span: Span) -> str:
    known = {**span.resource, **span.attributes}
    pairs = [f'{tag["value"]}="{known[tag["key"]]}"' for tag in link["tags"] if tag["key"] in known]
    assert len(pairs) == len(link["tags"]), f"{span.name} lacks one of {link['tags']}"
    return ", ".join(pairs)


def test_every_data_source_is_a_server_of_the_stack_and_every_link_names_one() -> None:
    for uid, source in _SOURCES.items():
        assert re.fullmatch(rf"http://{uid}:\d+", source["url"]), source
        assert source["access"] == "proxy"
        assert source["editable"] is False
    named = re.findall(r"'(?:datasourceUid|alertmanagerUid)': '(\w+)'", str(list(_SOURCES.values())))
    assert len(named) == 7
    assert set(named) <= set(_SOURCES)


@pytest.mark.parametrize("uid", ["prometheus", "alertmanager"])
def test_a_server_that_asks_for_a_password_is_given_it_from_a_file(scene: Scene, uid: str) -> None:
    source = _SOURCES[uid]
    assert (source["basicAuth"], source["basicAuthUser"]) == (True, "obs")
    assert source["secureJsonData"] == {"basicAuthPassword": "$__file{/run/secrets/web_password}"}
    assert scene.stack.ask(uid, {"prometheus": "/api/v1/labels", "alertmanager": "/api/v2/status"}[uid])


def test_the_table_under_the_service_graph_finds_the_span_metrics_by_the_names_that_grafana_asks_for(
    scene: Scene,
) -> None:
    calls = (
        'topk(5, sum(rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[1m])) by (span_name))'
    )

    def names() -> set[str]:
        return {one["metric"]["span_name"] for one in scene.stack.query(calls)}

    await_(lambda: "POST /orders" in names(), calls, instead=names)
    times = "sum(rate(traces_spanmetrics_latency_bucket{}[1m])) by (le)"
    assert await_(lambda: scene.stack.query(times), times)
    assert scene.stack.query('{__name__=~"traces_span_metrics_.*"}') == []


def test_the_service_graph_is_asked_for_only_where_the_collector_makes_it(
    scene: Scene, note: Callable[[str], None]
) -> None:
    assert _SOURCES["tempo"]["jsonData"]["serviceMap"]["datasourceUid"] == "prometheus"
    if not (scene.stack.config.directory / "collector" / "service-graph.yml").exists():
        note("not run: the service graph (this collector is built without the connector)")
        return
    query = 'traces_service_graph_request_total{client="storefront",server="payments"}'
    assert await_(lambda: scene.stack.query(query), query)


def _alerts() -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    for file in _RULES:
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    yield (
                        f"{file.parent.name}/{file.stem}/{rule['alert']}",
                        rule["labels"],
                        rule["annotations"],
                    )


def _shown(text: str, labels: dict[str, str]) -> str:
    """Fill in the templates of an annotation for an alert about `labels`."""

    def replace(token: re.Match[str]) -> str:
        label = re.search(r"\$labels\.(\w+)", token["expression"])
        value = {"environment": "test", **labels}.get(label[1], "any") if label else "1"
        return urllib.parse.quote(value, safe="") if "urlquery" in token["expression"] else value

    return _TEMPLATE.sub(replace, text)


def test_every_alert_leads_to_a_runbook_that_is_served(scene: Scene) -> None:
    pages = {_shown(notes["runbook_url"], labels) for _, labels, notes in _alerts()}
    assert len(pages) > 50
    open_ = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    for page in sorted(pages):
        with open_(scene.stack.url("runbooks") + urllib.parse.urlsplit(page).path, timeout=30) as answer:
            assert answer.status == 200, page


def test_every_alert_leads_to_a_panel_that_exists() -> None:
    boards = {}
    for file in bundle.root().glob("dashboards/*/*.json"):
        board = json.loads(file.read_text(encoding="utf-8"))
        boards[board["uid"]] = set(re.findall(r'"id": (\d+)', json.dumps(board)))
    for name, labels, notes in _alerts():
        if "/d/" not in notes["dashboard_url"]:
            # The watchdog stands on no dashboard: its link leads to the list of alerts.
            assert urllib.parse.urlsplit(notes["dashboard_url"]).path == "/alerts", name
            continue
        link = urllib.parse.urlsplit(_shown(notes["dashboard_url"], labels))
        uid = link.path.split("/d/")[1].split("/")[0]
        assert uid in boards, name
        panel = urllib.parse.parse_qs(link.query).get("viewPanel", [])
        assert set(panel) <= boards[uid], name


def test_every_query_behind_an_alert_s_links_is_answered(scene: Scene, note: Callable[[str], None]) -> None:
    asked: dict[tuple[str, str], str] = {}
    for name, labels, notes in _alerts():
        for text in notes.values():
            if "/explore?" in text:
                for kind, query in _explored(_shown(text, labels)):
                    asked.setdefault((kind, query), name)
    assert {kind for kind, _ in asked} >= {"loki", "tempo"}
    now = int(time.time())
    window = {"start": now - 3600, "end": now}
    for (kind, query), name in asked.items():
        if kind == "loki":
            answer = scene.stack.ask("loki", "/loki/api/v1/query_range", query=query, limit=1, **window)
        elif kind == "prometheus":
            answer = scene.stack.ask("prometheus", "/api/v1/query", query=query)
        elif scene.stack.traces_by == "recorder":
            note("not run: queries in TraceQL (they want a real Tempo)")
            continue
        else:
            answer = scene.stack.ask("tempo", "/api/search", q=query, limit=1, **window)
            assert "traces" in answer, name
            continue
        assert answer["status"] == "success", name


def _explored(url: str) -> Iterator[tuple[str, str]]:
    panes = json.loads(urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["panes"][0])
    for pane in panes.values():
        for query in pane["queries"]:
            yield pane["datasource"], query.get("expr", query.get("query", ""))
