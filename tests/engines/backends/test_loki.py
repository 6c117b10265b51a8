"""Loki with the committed file: two labels, ids beside the line, limits that lose no line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.engines.backends.running import Backends

pytestmark = pytest.mark.engines

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def _record(body: str, **fields: Any) -> dict[str, Any]:
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in fields.items()]
    return {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": body}, "attributes": attributes}


def _resource(service: str) -> dict[str, str]:
    """Return a resource as the collector sends it: its two names beside others."""
    return {
        "service": service,
        "environment": "local",
        "service.instance.id": "host-7",
        "k8s.pod.name": "pod-1",
    }


def _sent(backends: Backends, service: str, *records: dict[str, Any]) -> tuple[int, bytes]:
    return backends.push_logs(_resource(service), *records)


def _found(backends: Backends, query: str) -> list[tuple[dict[str, str], str]]:
    """Return each line with everything that stands beside it."""
    return [(stream["stream"], line) for stream in backends.lines(query) for _, line in stream["values"]]


def test_service_and_environment_are_the_only_labels_of_a_stream(backends: Backends) -> None:
    status, answer = _sent(backends, "labelled", _record("hello", level="error", order="o-1"))
    assert status == 204, answer

    series = backends.json("loki", "/loki/api/v1/series", **{"match[]": '{service="labelled"}'})["data"]
    labels = backends.json("loki", "/loki/api/v1/labels")["data"]

    assert series == [{"service": "labelled", "environment": "local"}]
    assert sorted(labels) == ["environment", "service"]


def test_ids_and_fields_are_found_beside_the_line_without_parsing_it(backends: Backends) -> None:
    record = _record("charged", level="info", order="o-1") | {"traceId": TRACE, "spanId": SPAN}
    assert _sent(backends, "identified", record)[0] == 204

    found = _found(backends, f'{{service="identified"}} | trace_id = "{TRACE}" | level = "info"')

    assert [line for _, line in found] == ["charged"]
    assert found[0][0].items() >= {"trace_id": TRACE, "span_id": SPAN, "order": "o-1"}.items()
    # A metric of lines has one series a stream, not one a trace.
    counted = backends.json(
        "loki", "/loki/api/v1/query", query='sum by (service) (count_over_time({service="identified"}[5m]))'
    )
    assert [one["metric"] for one in counted["data"]["result"]] == [{"service": "identified"}]


def test_a_line_that_is_too_long_is_cut_and_an_attribute_of_10_kb_is_whole(backends: Backends) -> None:
    sent = _sent(
        backends,
        "long",
        _record("x" * 300_000, kind="line"),
        _record("short", kind="field", field="y" * 10_000),
    )
    assert sent[0] == 204, sent

    lines = {labels["kind"]: (labels, line) for labels, line in _found(backends, '{service="long"}')}

    assert len(lines["line"][1]) == 256 * 1024
    assert lines["line"][1].endswith("x [cut by Loki]")
    assert lines["field"][0]["field"] == "y" * 10_000


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"field": "y" * 70_000}, b"65536"), ({f"field{number}": "y" for number in range(130)}, b"128")],
    ids=["a field of 70 kB", "130 fields"],
)
def test_too_much_beside_a_line_is_refused_for_good_and_the_rest_of_the_batch_kept(
    backends: Backends, fields: dict[str, str], reason: bytes
) -> None:
    service = f"refused-{len(fields)}"
    status, answer = _sent(backends, service, _record("too much", **fields), _record("fine"))

    assert (status, reason in answer) == (400, True), answer
    assert [line for _, line in _found(backends, f'{{service="{service}"}}')] == ["fine"]


def test_a_line_older_than_a_week_is_refused(backends: Backends) -> None:
    old = {"timeUnixNano": str(time.time_ns() - 8 * 86_400 * 10**9)}

    assert _sent(backends, "old", _record("late") | old)[0] == 400


def test_retention_and_the_ruler_are_in_effect(backends: Backends) -> None:
    config = yaml.safe_load(backends.ask(backends.url("loki") + "/config")[1])

    assert config["limits_config"]["retention_period"] in ("30d", "4w2d", "720h", "720h0m0s")
    assert config["compactor"]["retention_enabled"] is True
    assert config["compactor"]["delete_request_store"] == "filesystem"
    assert config["ruler"]["alertmanager_url"] == backends.url("alertmanager")
    assert config["ruler"]["alertmanager_client"]["credentials_file"] == str(
        backends.secrets / "web_authorization"
    )
    assert config["analytics"]["reporting_enabled"] is False
