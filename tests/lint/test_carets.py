"""Carets stand under what is meant, whatever stands before it and however it was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from obs.lint import report, run
from obs.lint.problem import Problem

_HEAD = "groups:\n  - name: shop\n    rules:\n"


def _found(text: str, folder: Path, check: str, name: str = "rules.yml") -> tuple[Problem, str]:
    """Return the one problem of a check, and what the reporter prints of it."""
    (folder / name).write_bytes(text.encode())
    made = run.lint([folder / name])
    (problem,) = [one for one in made.problems if one.check == check]
    return problem, "\n".join(report.console([problem], made.sources))


def _above(shown: str) -> str:
    """Return what stands above the carets, by the columns of a terminal."""
    _, line, carets, *_ = shown.split("\n")
    start, end = carets.index("^"), len(carets)
    cells, out = 0, ""
    for letter in line:
        if start <= cells < end:
            out += letter
        cells += cell_len(letter)
    return out


_ALERT = "      - alert: Down\n        expr: {}\n        for: 5m\n"


@pytest.mark.parametrize(
    ("expr", "above", "line"),
    [
        ("absent(up) > 1", "1", 5),
        ("'absent(up) > 1'", "1", 5),
        ('"absent(up{a=\\"b\\"}) > 1"', "1", 5),
        ('"absent(up{a=\\"\\u00e9\\x41\\"}) > 1"', "1", 5),
        ("absent(up{a='値段'}) > 1", "1", 5),
        ("absent(up{a='🚀🚀'}) > 1", "1", 5),
        ("absent(up{a='cafe\u0301'}) > 1", "1", 5),
        ("absent(up{a='x'})\t>\t1", "1", 5),
        ("&anchored absent(up) > 1", "1", 5),
        ("!!str absent(up) > 1", "1", 5),
        ("&anchored |\n          absent(\n            up\n          ) > 1", "1", 8),
        ("|\n          absent(up)\n            > 1", "1", 7),
        ("|2-\n            absent(up)\n            > 1", "1", 7),
        (">-\n          absent(up{a='値'})\n          > 1", "1", 7),
        (">\n          absent(up)\n\n          > 1", "1", 8),
        ("absent(up)\n          > 1", "1", 6),
        ('"absent(up)\n          \\\n          > 1"', "1", 7),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_carets_of_a_query(  # noqa: PLR0917 - pytest passes by name
    expr: str, above: str, line: int, end: str, mark: str, tmp_path: Path
) -> None:
    text = mark + f"{_HEAD}{_ALERT.format(expr)}".replace("\n", end)
    problem, shown = _found(text, tmp_path, "absent-cannot-work")

    assert _above(shown) == above
    assert problem.place.line == line


def test_columns_count_characters_and_not_bytes(tmp_path: Path) -> None:
    problem, shown = _found(
        f"{_HEAD}{_ALERT.format('absent(up{a=~`🚀値`}) > 1')}", tmp_path, "absent-cannot-work"
    )

    assert problem.place.column == len("        expr: absent(up{a=~`🚀値`}) > 1")
    assert f"col={problem.place.column}," in next(report.github([problem]))
    assert "🚀値" in shown


_SHARED = """\
shared: &shared
  severity: page
  team: [shop]
groups:
  - name: shop
    rules:
      - alert: Down
        expr: &down absent(up) > 1
        for: 5m
        labels:
          <<: *shared
          service: shop
      - alert: Gone
        expr: *down
        labels: {<<: [{team: cart}, *shared]}
        annotations: {<<: *nothing}
"""


def test_merged_keys_are_keys_and_an_alias_is_found_where_its_anchor_stands(tmp_path: Path) -> None:
    text = _SHARED.replace("*nothing", "{summary: Gone}").replace("team: [shop]", "team: shop")
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
    problems = run.lint([tmp_path]).problems

    assert "alert-without-severity" not in {one.check for one in problems}
    assert [one.place.line for one in problems if one.check == "alert-without-owner"] == []
    assert [one.place.line for one in problems if one.check == "alert-without-summary"] == [7]
    assert {(one.place.line, one.place.column) for one in problems if one.check == "absent-cannot-work"} == {
        (8, 34)
    }
    # Prometheus takes what is shared from anywhere but a key of its own.
    assert [one.message for one in problems if one.check == "broken-rule"] == [
        "a rule file has no key 'shared'"
    ]


@pytest.mark.parametrize(
    "labels",
    ["&a {<<: *a}", "{<<: 3}", "{<<: [1, {b: c}]}", "{'<<': x}", "{<<: {<<: {<<: {severity: page}}}}"],
)
def test_merges_of_odd_things(labels: str, tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(
        f"{_HEAD}      - {{alert: A, expr: up == 0, labels: {labels}}}\n", encoding="utf-8"
    )

    run.lint([tmp_path])


def test_a_broken_line_of_yaml_is_pointed_at(tmp_path: Path) -> None:
    problem, _ = _found("groups:\r\n  - name: 値\r\n    rules: [\t}\r\n", tmp_path, "broken-yaml")

    assert problem.place.line == 3


def test_carets_in_json(tmp_path: Path) -> None:
    expr = 'absent(up{a="🚀値\t"}) > 1'
    panel = {"id": 1, "type": "stat", "title": "値", "targets": [{"refId": "A", "expr": expr}]}
    made = {"title": "値", "schemaVersion": 39, "panels": [panel]}
    for ascii_only in (True, False):
        text = "\ufeff" + json.dumps(made, ensure_ascii=ascii_only).replace("{", "{\t", 1)
        _, shown = _found(text, tmp_path, "absent-cannot-work", "a.json")

        assert _above(shown) == "1"


def test_a_wide_line_that_is_cut_still_has_its_carets_in_place(tmp_path: Path) -> None:
    text = f"{_HEAD}{_ALERT.format('absent(up{a=~`' + '値' * 90 + '`}) > 1')}"
    _, shown = _found(text, tmp_path, "absent-cannot-work")

    assert _above(shown) == "1"
    assert max(cell_len(line) for line in shown.split("\n")[1:3]) <= 120


def test_escapes_in_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "Down.md").write_text(
        "# Down\n\n## Meaning\n\n## Impact\n\n\x1b[31m TODO\n\n## Diagnosis\n", encoding="utf-8"
    )
    made = run.lint([tmp_path])
    shown = "\n".join(report.console(made.problems, made.sources))

    assert "TODO" in shown
    assert "\x1b" not in shown


def test_a_key_that_is_merged_in_is_not_moved_from_where_others_read_it(tmp_path: Path) -> None:
    shared = "shared: &shared\n  severity: page\n"
    text = (
        f"{shared}{_HEAD}      - <<: *shared\n        alert: Down\n        expr: up == 0\n        for: 1m\n"
    )
    problem, _ = _found(text, tmp_path, "misplaced-key")

    assert problem.place.line == 2
    assert problem.fix is None
