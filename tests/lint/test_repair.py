"""Repairs replace pieces of text: everything else stays byte for byte, and nothing is made worse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from obs.lint import repair, run
from obs.lint.problem import Edit, Fix
from obs.lint.run import Report


def _repaired(path: Path) -> repair.Repaired:
    def judge(texts: Mapping[str, str]) -> Report:
        return run.lint([path], texts=texts)

    return repair.repair(judge)


def _rule(text: str) -> dict[str, object]:
    rule: dict[str, object] = yaml.safe_load(text)["groups"][0]["rules"][0]
    return rule


_HEAD = "groups:\n  - name: shop\n    rules:\n"
_CASES = {
    "no labels yet, two strangers": (
        "      - alert: Down\n        expr: up == 0\n        severity: page\n        team: shop\n",
        {"severity": "page", "team": "shop"},
    ),
    "labels in a block": (
        "      - alert: Down\n        expr: up == 0\n        severity: page\n        labels:\n          # who\n          team: shop\n",
        {"severity": "page", "team": "shop"},
    ),
    "labels in one line": (
        "      - alert: Down\n        expr: up == 0\n        labels: {team: shop}\n        severity: page\n",
        {"severity": "page", "team": "shop"},
    ),
    "the stranger comes last, without a line end": (
        "      - alert: Down\n        expr: up == 0\n        severity: page",
        {"severity": "page"},
    ),
    "the stranger comes first": (
        "      - alert: Down\n        severity: page\n        expr: up == 0\n",
        {"severity": "page"},
    ),
}


@pytest.mark.parametrize("case", _CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_strangers_move_under_labels(case: str, newline: str, tmp_path: Path) -> None:
    text, labels = _CASES[case]
    rules = tmp_path / "rules.yml"
    rules.write_bytes((_HEAD + text).replace("\n", newline).encode())

    done = _repaired(rules)
    repair.write(done)
    after = rules.read_bytes().decode()

    assert _rule(after)["labels"] == labels
    assert set(_rule(after)) == {"alert", "expr", "labels"}
    assert ("\r" in after) == (newline == "\r\n")
    assert "\r" not in after.replace("\r\n", "")
    assert _repaired(rules).after == {}


def test_a_label_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    text = f"{_HEAD}      - alert: Down\n        expr: up == 0\n        severity: page\n        labels: {{severity: none}}\n"
    rules.write_text(text, encoding="utf-8")

    assert _repaired(rules).after == {}


def test_a_byte_order_mark_and_the_mode_of_a_file_stay(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    text = f"{_HEAD}      - alert: Down\n        expr: up == 0\n        severity: page\n"
    rules.write_bytes(b"\xef\xbb\xbf" + text.encode())
    rules.chmod(0o640)

    repair.write(_repaired(rules))

    assert rules.read_bytes().startswith(b"\xef\xbb\xbfgroups:")
    assert rules.stat().st_mode & 0o777 == 0o640


def test_what_a_comment_silences_is_left_as_it_is(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    text = (
        f"{_HEAD}      # obs-lint: disable=annotation-misnamed our template reads it\n"
        "      - alert: Down\n        expr: up == 0\n        annotations: {runbook: https://example.com}\n"
    )
    rules.write_text(text, encoding="utf-8")

    assert _repaired(rules).after == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sum(rate(x_bucket[5m]))", "sum by (le) (rate(x_bucket[5m]))"),
        ("sum by (job) (rate(x_bucket[5m]))", "sum by (job, le) (rate(x_bucket[5m]))"),
        ("sum(rate(x_bucket[5m])) by (job)", "sum(rate(x_bucket[5m])) by (job, le)"),
    ],
)
def test_a_quantile_keeps_its_bounds(before: str, after: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(
        f"{_HEAD}      - record: job:x:p99\n        expr: histogram_quantile(0.99, {before})\n",
        encoding="utf-8",
    )

    (text,) = _repaired(rules).after.values()

    assert " ".join(str(_rule(text)["expr"]).split()) == f"histogram_quantile(0.99, {after})"


def test_fixes_that_touch_one_another_wait_for_the_next_round() -> None:
    fixes = [
        Fix("one", (Edit(0, 3, "x"), Edit(8, 9, "y"))),
        Fix("two", (Edit(2, 4, "z"),)),
        Fix("three", (Edit(5, 5, "+"),)),
    ]

    assert repair.applied("abcdefghij", fixes) == ("xde+fghyj", 2)
