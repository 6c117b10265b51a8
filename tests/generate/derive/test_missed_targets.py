"""How long targets that are gone are missed: the rules and the page say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.generate import pipeline
from obs.generate.derive.capabilities.targets.alerts import MEMORY
from obs.generate.derive.rules import rule_files
from obs.generate.spec.load import load

SHOP = Path(__file__).parents[2] / "golden" / "shop"
EXTREME = SHOP.parent / "extreme"


def _written(folder: str, environment: str | None) -> str:
    return "\n".join(
        artefact.text
        for artefact in pipeline.plan([SHOP], environment=environment)
        if str(artefact.path).startswith(folder)
    )


@pytest.mark.parametrize("alert", ["TargetDown", "JobAllTargetsDown"])
def test_the_rule_looks_back_for_as_long_as_the_page_says(alert: str) -> None:
    rules = _written("alerts/prometheus", None)
    rule = rules.partition(f"alert: {alert}\n")[2].partition("- alert:")[0]
    assert f'up{{service="payments"}}[{MEMORY}]' in rule
    page = _written("runbooks/payments/TargetDown", None)
    assert f"missed for {MEMORY.words}" in page


def test_an_environment_with_rules_of_its_own_is_missed_for_good() -> None:
    assert "only when targets of this environment answer again" in _written(
        "runbooks/payments/TargetDown", "demo"
    )
    assert f'absent_over_time(up{{environment="demo",service="payments"}}[{MEMORY}])' in _written(
        "alerts/prometheus", "demo"
    )


def test_what_the_series_are_selected_by_besides_stands_on_no_alert_of_them() -> None:
    (service,) = load([EXTREME / "high.yml"])
    (alert,) = (alert for file in rule_files(service) for alert in file.alerts if alert.name == "TargetDown")
    told = {key for case in alert.tests for one in case.expects for sent in one.firing for key in sent.labels}

    assert "region" in service.select
    assert "region" not in told
    # Which labels `absent` makes up is for the engines to say: tests/engines/test_promtool.py plays the story.
    assert "groupby(service,environment)(absent_over_time(" in "".join(alert.expr.split())
