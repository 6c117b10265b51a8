"""Alerts on log lines: which a service gets, and how they are told.

Whether they fire is judged by a real Loki, in tests/engines/logs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.errors import SpecError
from obs.generate import pipeline
from obs.generate.derive.capabilities.logs import table
from obs.generate.derive.capabilities.logs.drafts import LogKit, finish
from obs.generate.model import Alert, Duration, Service, Tuning
from obs.generate.model.alert import Kind
from obs.generate.render import loki
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[3] / "specs" / "shop"
KINDS: tuple[Kind, ...] = ("fires", "silent", "for", "born", "gone")


def _service(**changes: Any) -> Service:
    return replace(load([SPECS])[0], **{"tunings": {}, **changes})


def _alerts(service: Service) -> dict[str, Alert]:
    file = table.rule_file(service)
    return {alert.name: alert for alert in file.alerts} if file else {}


def test_a_service_without_logs_has_no_rules_for_loki() -> None:
    assert table.rule_file(_service(capabilities=("http", "process"))) is None


def test_slow_requests_need_requests() -> None:
    assert set(_alerts(_service())) == set(table.NAMES)
    assert set(_alerts(_service(capabilities=("logs",)))) == {*table.NAMES} - {"LogSlowRequests"}


def test_every_alert_tells_each_kind_of_story_or_why_not() -> None:
    for alert in _alerts(_service()).values():
        told = {case.kind for case in alert.log_tests}
        assert told | set(alert.omits) == set(KINDS), alert.name
        assert not told & set(alert.omits), alert.name


def test_a_draft_that_leaves_out_a_kind_without_a_reason_is_refused() -> None:
    service = _service()
    entry = table.ALERTS[0]
    kit = LogKit(service, _settings(service))
    draft = replace(entry.author(kit), omits={})

    with pytest.raises(ValueError, match="LogErrorSpike tells no story of the kind 'born'"):
        finish(draft, kit)


def _settings(service: Service) -> Any:
    from obs.generate.derive.settings import settle

    return settle(service, table.ALERTS[0].name, table.ALERTS[0].defaults)


def test_every_alert_carries_the_labels_and_links_of_the_others() -> None:
    for alert in _alerts(_service()).values():
        assert {"service", "severity", "team", "tier", "category"} <= set(alert.labels)
        assert {
            "summary",
            "description",
            "runbook_url",
            "dashboard_url",
            "logs_url",
            "traces_url",
        } == set(alert.annotations)
        assert alert.language == "logql"


@pytest.mark.parametrize("environment", [None, "demo"])
def test_the_environment_of_an_alert_is_the_stream_s_or_the_spec_s(environment: str | None) -> None:
    service = load([SPECS], environment)[0]
    silence = _alerts(service)["LogSilence"].expr

    assert ("label_replace" in silence) is (environment is None)
    assert ('environment="demo"' in silence) is (environment == "demo")


def test_a_tuning_changes_threshold_window_and_wait() -> None:
    tuning = Tuning(
        "LogErrorSpike", _service().place, threshold=None, window=Duration.parse("1m"), for_=Duration(0)
    )
    alert = _alerts(_service(tunings={"LogErrorSpike": tuning}))["LogErrorSpike"]

    assert "[1m]" in alert.expr
    assert not alert.for_
    assert "for" in alert.omits


def test_an_alert_that_is_switched_off_is_gone() -> None:
    tuning = Tuning("LogPanic", _service().place, disabled="it is known")

    assert "LogPanic" not in _alerts(_service(tunings={"LogPanic": tuning}))


def test_a_tuning_of_an_alert_without_its_capability_is_an_error(tmp_path: Path) -> None:
    spec = tmp_path / "a.yml"
    head = "version: obs/v1\nservice: {name: a, team: one}\n"
    spec.write_text(
        f"{head}capabilities: [http]\nalerts: {{LogPanic: {{severity: ticket}}}}\n", encoding="utf-8"
    )

    with pytest.raises(SpecError, match=r"a has no such alert, because it has no capability 'logs'"):
        pipeline.plan([spec])


def test_every_rule_has_its_tests_beside_it() -> None:
    file = table.rule_file(_service())
    assert file is not None
    rules, tests = (yaml.safe_load(artefact.text) for artefact in loki.render(file))

    named = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert {test["alert"] for test in tests["tests"]} == named == set(table.NAMES)
    assert all(test["lines"] and test["expect"] for test in tests["tests"])


def test_every_alert_has_a_runbook_whose_queries_are_logql() -> None:
    pages = {artefact.path.stem: artefact.text for artefact in pipeline.plan([SPECS]) if artefact.preserves}

    for name in table.NAMES:
        assert "```logql" in pages[name]
        expression = pages[name].split("## Expression")[1]
        assert "```promql" not in expression
