"""The rules of our first users, as they wrote them by hand: every fault is found, explained and repaired."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from obs.lint import repair, run
from obs.lint.problem import Problem
from obs.lint.run import Report

_RULES = Path(__file__).parent / "users" / "rules.yml"


def _problems(check: str) -> list[Problem]:
    return [problem for problem in run.lint([_RULES]).problems if problem.check == check]


def _repaired() -> repair.Repaired:
    def judge(texts: Mapping[str, str]) -> Report:
        return run.lint([_RULES], texts=texts)

    return repair.repair(judge)


def _alerts(text: str) -> dict[str, dict[str, object]]:
    return {rule["alert"]: rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}


def test_a_severity_beside_expr_is_found_in_each_rule_and_said_to_cost_the_file() -> None:
    found = _problems("misplaced-key")

    assert [problem.place.line for problem in found] == [10, 19, 28, 36]
    assert {problem.place.column for problem in found} == {9}
    assert {problem.severity for problem in found} == {"error"}
    assert all("refuses the whole file" in problem.message for problem in found)
    assert all(problem.hint == "it belongs under labels" for problem in found)


def test_an_error_rate_that_is_requests_a_second_is_told_from_a_ratio() -> None:
    (found,) = _problems("rate-not-ratio")
    line = _RULES.read_text(encoding="utf-8").splitlines()[found.place.line - 1]

    assert line[found.place.column - 1 :][: found.length] == 'rate(http_requests_total{status=~"5.."}[5m])'
    assert "events a second, not a share of all" in found.message
    assert "its summary says 5%" in str(found.hint)


def test_links_under_a_name_that_nothing_reads_and_missing_links_are_told_apart() -> None:
    assert [problem.place.line for problem in _problems("annotation-misnamed")] == [14, 23]
    assert [problem.message.split()[0] for problem in _problems("alert-without-runbook")] == [
        "ServiceDown",
        "DatabaseConnectionPoolExhausted",
    ]


def test_without_a_contract_that_is_said_once() -> None:
    assert len(_problems("not-checked")) == 1


def test_repairing_leaves_only_what_a_person_must_write() -> None:
    left = {problem.check for problem in _repaired().report.problems if problem.severity != "info"}

    assert left == {"alert-without-owner", "alert-without-runbook"}


def test_repairing_keeps_comments_layout_and_the_rest() -> None:
    before = _RULES.read_text(encoding="utf-8")
    after = _repaired().after[_RULES.as_posix()]
    kept = [line for line in before.splitlines() if "severity" not in line and "runbook" not in line]

    assert "severity: critical   # wakes somebody" in after
    assert [line for line in kept if line not in after.splitlines()] == [
        '        expr: rate(http_requests_total{status=~"5.."}[5m]) > 0.05'
    ]
    rules = _alerts(after)
    assert [rule["labels"] for rule in rules.values()] == [
        {"severity": "critical"},
        {"severity": "warning"},
        {"severity": "critical"},
        {"severity": "critical"},
    ]
    assert rules["HighErrorRate"]["expr"] == (
        'sum by (service, job) (rate(http_requests_total{status=~"5.."}[5m])) / '
        "sum by (service, job) (rate(http_requests_total[5m])) > 0.05"
    )


def test_repairing_twice_changes_nothing_more() -> None:
    first = _repaired().after

    def judge(texts: Mapping[str, str]) -> Report:
        return run.lint([_RULES], texts={**first, **texts})

    assert repair.repair(judge).after == {}
