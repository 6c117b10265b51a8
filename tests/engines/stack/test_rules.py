"""Every rule is evaluated by the live engines, and every series that it asks for exists where the shop makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.engines.stack.conftest import LEFT_OUT, Scene
from tests.engines.stack.rules import groups
from tests.engines.waiting import await_

from obs.stack import bundle

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

#: Series that may be missing, by the beginning of what is asked for, and why.
_MAY_BE_MISSING = {
    'http_client_request_duration_seconds_count{service="payments"}': "payments asks nobody",
    "loki_discarded_samples_total": "Loki makes it when it discards",
    "otelcol_exporter_send_failed_": "the collector makes it when sending fails",
    "otelcol_exporter_enqueue_failed_": "the collector makes it when its queue fails",
    "tempo_discarded_spans_total": "Tempo makes it when it discards",
}
#: Fields that rules on lines ask for and that no line of the shop has, and why.
_NOT_WRITTEN = {
    "__error__": "Loki's own",
    "stream": "the shop refuses nobody's login",
    "kind": "the shop refuses nobody's login",
}
#: What the recorder in Tempo's place does not know.
_WITHOUT_TEMPO = {"tempo_": "a recorder stands in Tempo's place"}


def _rules(scene: Scene, server: str) -> list[dict[str, Any]]:
    return [rule for group in groups(scene, server) for rule in group["rules"]]


@pytest.mark.parametrize("server", ["prometheus", "loki"])
def test_every_rule_is_evaluated_without_an_error(server: str, scene: Scene) -> None:
    def wrong() -> list[tuple[str, str, str]]:
        return [
            (rule["name"], rule["health"], rule.get("lastError", ""))
            for rule in _rules(scene, server)
            if rule["health"] != "ok"
        ]

    # An evaluation that a busy server has broken off is followed by one that it has not.
    await_(lambda: not wrong(), f"{server} has evaluated each of its rules", within=180.0, instead=wrong)
    rules = _rules(scene, server)
    committed = [
        rule.get("alert", rule.get("record"))
        for file in bundle.path("alerts", server).glob("*.yml")
        if not file.stem.startswith(LEFT_OUT)
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
    assert sorted({rule["name"] for rule in rules} - {"FirstEvent"}) == sorted(set(committed))


def test_every_expression_is_answered(scene: Scene) -> None:
    for rule in _rules(scene, "prometheus"):
        answer = scene.stack.ask("prometheus", "/api/v1/query", query=rule["query"])
        assert answer["status"] == "success", rule["name"]
        assert not answer.get("warnings"), rule["name"]


@pytest.mark.ripens
def test_every_series_that_a_rule_asks_for_exists(scene: Scene) -> None:
    # The server takes its own queries apart: nothing of the generator that wrote them is trusted here.
    asked = {
        (selector["name"], json.dumps(selector["matchers"], sort_keys=True)): rule["name"]
        for rule in _rules(scene, "prometheus")
        for selector in _selectors(
            scene.stack.ask("prometheus", "/api/v1/parse_query", query=rule["query"])["data"]
        )
    }
    assert len(asked) > 100
    excused = (
        _MAY_BE_MISSING if scene.stack.traces_by != "recorder" else {**_MAY_BE_MISSING, **_WITHOUT_TEMPO}
    )
    missing = {f"{name}{_identity(json.loads(matchers))}": rule for (name, matchers), rule in asked.items()}
    missing = {series: rule for series, rule in missing.items() if not series.startswith(tuple(excused))}

    def complete() -> bool:
        for series in [series for series in missing if _exists(scene, series)]:
            del missing[series]
        return not missing

    def told() -> str:
        return "\n".join(f"{rule}: no {series}" for series, rule in sorted(missing.items()))

    await_(complete, "every series exists", within=240.0, instead=told)


def test_every_field_of_a_line_that_a_rule_asks_for_exists(scene: Scene) -> None:
    asked = {
        f'{selector} | {field} != ""'
        for rule in _rules(scene, "loki")
        for selector in re.findall(r"\{[^}]*\}", rule["query"])
        for field in re.findall(r"\| (\w+)\s*(?:[=!]|>)", rule["query"])
        if field not in _NOT_WRITTEN
    }
    assert len(asked) > 5

    def missing() -> list[str]:
        return sorted(query for query in asked if not scene.stack.lines(query, limit=1))

    await_(lambda: not missing(), "lines have what the rules ask for", instead=missing)


def _selectors(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for part in node:
            yield from _selectors(part)
    elif isinstance(node, dict):
        if node.get("type") == "vectorSelector":
            yield node
        for part in node.values():
            yield from _selectors(part)


def _exists(scene: Scene, series: str) -> bool:
    return bool(scene.stack.query(f"count(last_over_time({series}[1h]))"))


def _identity(matchers: list[dict[str, str]]) -> str:
    """Keep the matchers that say whose it is: values of other labels (a status of 500) may be still to come."""
    kept = [
        f"{one['name']}{one['type']}{json.dumps(one['value'])}"
        for one in matchers
        if one["name"] in ("service", "environment", "job_name", "sloth_slo", "sloth_id")
    ]
    return "{" + ",".join(kept) + "}"
