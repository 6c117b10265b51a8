"""The tests of rules: which states and labels they ask of `ALERTS`, and how they are packed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.generate.derive import rules
from obs.generate.model import Alert, RuleFile
from obs.generate.render import promtool
from obs.generate.spec.load import load

GOLDEN = Path(__file__).parents[1] / "golden"
CUSTOM = """\
version: obs/v1
service: {name: shop, team: us}
custom_alerts:
  ManyDown:
    expr: up == 0
    severity: ticket
    tests:
      - series: {'up{instance="a"}': 1 0x9, 'up{instance="b"}': 1 0x9}
        silent_at: 0m
        fires_at: 5m
        count: 2
    runbook: ./page.md
"""
PAGE = "# ManyDown\n\n## Meaning\n\nx\n\n## Impact\n\nx\n\n## Diagnosis\n\nx\n\n## Mitigation\n\nx\n"


def _files(spec: Path) -> list[RuleFile]:
    return [file for service in load([spec]) for file in rules.rule_files(service)]


def _questions(file: RuleFile) -> Iterator[dict[str, Any]]:
    for page in promtool.render(file):
        for group in yaml.load(page.text, yaml.CSafeLoader)["tests"]:
            yield from group.get("promql_expr_test", ())


def _labels(series: str) -> dict[str, str]:
    assert series.startswith("ALERTS{")
    return dict(re.findall(r'(\w+)="([^"]*)"', series))


def _story(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return labels without that of the copy of a story."""
    return tuple(sorted((key, re.sub(r"-\d+$", "", value)) for key, value in labels.items()))


def _told(alert: Alert) -> Iterator[dict[str, str]]:
    for case in alert.tests:
        for expectation in case.expects:
            for firing in expectation.firing:
                yield {"alertname": alert.name, "alertstate": "firing", **firing.labels}


@pytest.mark.parametrize("spec", ["shop", "complete", "slo"])
def test_every_alert_that_a_story_says_is_asked_for_with_all_its_labels(spec: str) -> None:
    for file in _files(GOLDEN / spec / "spec.yml"):
        asked = [
            _story(_labels(sample["labels"]))
            for question in _questions(file)
            for sample in question["exp_samples"]
            if "firing" in sample["labels"]
        ]
        told = [_story(labels) for alert in file.alerts for labels in _told(alert)]
        assert sorted(asked) == sorted(told), file.stem


def test_what_is_asked_and_what_is_expected_name_the_same_environment() -> None:
    for file in _files(GOLDEN / "shop" / "spec.yml"):
        for question in _questions(file):
            for sample in question["exp_samples"]:
                seen = dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))
                wanted = dict(re.findall(r'(\w+)="([^"]*)"', question["expr"]))
                assert seen.items() >= wanted.items() or "count" in question["expr"], question


def test_alerts_of_which_a_test_says_only_how_many_are_counted(tmp_path: Path) -> None:
    (tmp_path / "spec.yml").write_text(CUSTOM, encoding="utf-8")
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    asked = [
        question
        for file in _files(tmp_path / "spec.yml")
        for question in _questions(file)
        if "ManyDown" in question["expr"]
    ]

    assert all(question["expr"].startswith("count by (alertstate) (ALERTS{") for question in asked)
    assert [question["exp_samples"] for question in asked] == [
        [],
        [{"labels": '{alertstate="firing"}', "value": 2}],
    ]


def test_no_file_has_more_than_four_groups_and_what_is_too_much_stands_in_another() -> None:
    (service,) = load([GOLDEN / "shop" / "spec.yml"], environment="demo")
    groups = {
        str(page.path.name): [group["name"] for group in yaml.load(page.text, yaml.CSafeLoader)["tests"]]
        for file in rules.rule_files(service)
        for page in promtool.render(file)
    }

    assert max(map(len, groups.values())) == 4
    further = {name: inside for name, inside in groups.items() if "-part2" in name}
    assert further
    for name, inside in further.items():
        assert inside
        assert len(groups[name.replace("-part2", "")]) == 4
