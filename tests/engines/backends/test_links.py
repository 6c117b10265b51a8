"""Every link of the provisioned data sources leads somewhere: what Grafana would ask is asked of the engines.

No Grafana runs here: its way of filling in variables is written out below, after its documentation.
"""

from __future__ import annotations

import re
import secrets
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.engines.backends.conftest import Backends

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default:not run")]

GRAFANA = Path(__file__).parents[3] / "stack" / "grafana"
SOURCES: dict[str, dict[str, Any]] = {
    source["uid"]: source
    for source in yaml.safe_load((GRAFANA / "provisioning/datasources/obs.yml").read_text(encoding="utf-8"))[
        "datasources"
    ]
}


class NotRun(UserWarning):
    """Something was left out for want of a program; pytest shows it at the end."""


#: What a span of the service says of itself, as the SDK names it.
RESOURCE = {"service.name": "linked", "deployment.environment.name": "local", "service.version": "1"}


def _settings(uid: str) -> Any:
    """Return the settings of a data source as Grafana has them after reading the file."""
    return _undoubled(SOURCES[uid]["jsonData"])


def _undoubled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _undoubled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_undoubled(one) for one in value]
    if isinstance(value, str):
        # One dollar sign would be a variable of the environment, and empty.
        assert not re.search(r"(?<!\$)\$(?!\$)(?!__file\{)", value.replace("$$", "")), value
        return value.replace("$$", "$")
    return value


def _tags(tags: list[dict[str, str]]) -> str:
    """Return `$__tags`: matchers of the tags that the span has."""
    found = [f'{tag["value"]}="{RESOURCE[tag["key"]]}"' for tag in tags if tag["key"] in RESOURCE]
    assert found, "without a tag of the span, Grafana shows no link"
    return ", ".join(found)


def _filled(query: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        query = query.replace(f"${{{name}}}", value).replace(f"${name}", value)
    assert "$" not in query, query
    return query


def _histogram(trace: str) -> str:
    labels = 'http_request_method="GET",http_route="/orders",http_response_status_code="200"'
    exemplar = f'# {{trace_id="{trace}"}} 0.05 {time.time()}'
    name = "http_server_request_duration_seconds"
    return (
        f"# TYPE {name} histogram\n"
        f'{name}_bucket{{{labels},le="0.1"}} 3 {exemplar}\n{name}_bucket{{{labels},le="+Inf"}} 3\n'
        f"{name}_count{{{labels}}} 3\n{name}_sum{{{labels}}} 0.15\n{name}_created{{{labels}}} {time.time()}\n"
    )


def _traced(backends: Backends, query: str) -> list[dict[str, Any]]:
    """Have the collector see requests until Prometheus answers a query about them."""
    deadline = time.monotonic() + 90
    while not (found := backends.query(query)):
        assert time.monotonic() < deadline, (query, backends.log("collector")[-2000:])
        backends.push_request("linked", trace=secrets.token_bytes(16), server="collector")
        time.sleep(1)
    return found


def _log(backends: Backends, trace: str) -> None:
    record = {
        "timeUnixNano": str(time.time_ns()),
        "body": {"stringValue": "order taken"},
        "traceId": trace,
        "spanId": trace[:16],
        "attributes": [{"key": "level", "value": {"stringValue": "info"}}],
    }
    assert backends.push_logs({"service": "linked", "environment": "local"}, record)[0] == 204


def _open_trace(backends: Backends, uid: str, trace: str) -> None:
    """Look a trace up as Explore does, if Tempo is there."""
    assert SOURCES[uid]["type"] == "tempo"
    if backends.has("tempo"):
        assert b"GET /orders" in backends.await_answer(f"{backends.url('tempo')}/api/traces/{trace}")
    else:
        warnings.warn(NotRun("not run: tempo (the id was found, the trace not looked up)"), stacklevel=2)


def test_every_data_source_is_a_server_of_the_stack_and_every_link_names_one() -> None:
    for uid, source in SOURCES.items():
        assert re.fullmatch(rf"http://{uid}:\d+", source["url"]), source
        assert source["access"] == "proxy"
        assert source["editable"] is False

    named = re.findall(r"'(?:datasourceUid|alertmanagerUid)': '(\w+)'", str(list(SOURCES.values())))
    assert len(named) == 7
    assert set(named) <= set(SOURCES)


@pytest.mark.parametrize("uid", ["prometheus", "alertmanager"])
def test_a_server_that_asks_for_a_password_is_given_it_from_a_file(backends: Backends, uid: str) -> None:
    source = SOURCES[uid]

    assert (source["basicAuth"], source["basicAuthUser"]) == (True, "obs")
    assert source["secureJsonData"] == {"basicAuthPassword": "$__file{/run/secrets/web_password}"}
    assert backends.ask(backends.url(uid) + "/-/healthy")[0] == 200


def test_an_exemplar_leads_to_its_trace(backends: Backends) -> None:
    trace = secrets.token_bytes(16)
    if backends.has("tempo"):
        backends.push_request("linked", trace=trace)
    (destination,) = _settings("prometheus")["exemplarTraceIdDestinations"]
    with backends.scraped("pointed", _histogram(trace.hex())):
        # Grafana asks for exemplars with the very query of the panel.
        query = 'histogram_quantile(0.99, sum by (le) (rate(http_server_request_duration_seconds_bucket{service="pointed"}[1m])))'
        backends.await_result('http_server_request_duration_seconds_count{service="pointed"}')
        now = time.time()
        series = backends.json(
            "prometheus", "/api/v1/query_exemplars", query=query, start=str(now - 300), end=str(now + 60)
        )["data"]

    found = [one["labels"][destination["name"]] for each in series for one in each["exemplars"]]
    assert found == [trace.hex()]
    _open_trace(backends, destination["datasourceUid"], found[0])


def test_a_log_line_leads_to_its_trace(backends: Backends) -> None:
    trace = secrets.token_bytes(16)
    if backends.has("tempo"):
        backends.push_request("linked", trace=trace)
    _log(backends, trace.hex())
    (field,) = _settings("loki")["derivedFields"]
    (stream,) = backends.lines(f'{{service="linked"}} | trace_id = "{trace.hex()}"')

    # By label: Grafana looks among labels, parsed fields and structured metadata for a name that matches.
    assert field["matcherType"] == "label"
    values = [value for name, value in stream["stream"].items() if re.fullmatch(field["matcherRegex"], name)]
    query = _filled(field["url"], {"__value.raw": values[0]})

    assert query == trace.hex()
    _open_trace(backends, field["datasourceUid"], query)


def test_a_span_leads_to_the_lines_of_its_trace(backends: Backends) -> None:
    trace, other = secrets.token_hex(16), secrets.token_hex(16)
    for one in (trace, other):
        _log(backends, one)
    link = _settings("tempo")["tracesToLogsV2"]

    assert link["customQuery"] is True
    query = _filled(link["query"], {"__tags": _tags(link["tags"]), "__trace.traceId": trace})
    found = backends.lines(query)

    assert query == f'{{service="linked", environment="local"}} | trace_id = "{trace}"'
    assert [len(stream["values"]) for stream in found] == [1]
    assert SOURCES[link["datasourceUid"]]["type"] == "loki"


def test_a_span_leads_to_the_metrics_of_its_service(backends: Backends) -> None:
    link = _settings("tempo")["tracesToMetrics"]
    with backends.scraped("linked", _histogram(secrets.token_hex(16))):
        for asked in link["queries"]:
            variables = {"__tags": _tags(link["tags"]), "__rate_interval": "1m"}

            assert _traced(backends, _filled(asked["query"], variables)), asked["name"]
    assert SOURCES[link["datasourceUid"]]["type"] == "prometheus"
    assert len(link["queries"]) == 4


def test_the_service_graph_finds_the_spans_by_its_own_names_and_their_service(backends: Backends) -> None:
    assert SOURCES[_settings("tempo")["serviceMap"]["datasourceUid"]]["type"] == "prometheus"
    # The table under the graph, as Grafana asks for it.
    calls = _traced(
        backends,
        'topk(5, sum(rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[1m])) by (span_name))',
    )
    times = _traced(backends, "sum(rate(traces_spanmetrics_latency_bucket{}[1m])) by (le)")
    (series,) = backends.query('traces_spanmetrics_calls_total{service="linked"}')

    assert [one["metric"]["span_name"] for one in calls] == ["GET /orders"]
    assert times
    assert series["metric"].items() >= {"service": "linked", "environment": "local"}.items()
    assert backends.query('{__name__=~"traces_span_metrics_.*"} or target_info{job="linked"}') == []
