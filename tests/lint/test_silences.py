"""Comments, settings and baselines decide what counts, and say when they are no longer of use."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from obs.errors import ConfigError, SpecError
from obs.lint import baseline, run

_DAY = dt.date(2026, 6, 1)
_RULES = """\
groups:
  - name: shop
    rules:
      {above}
      - alert: TargetDown
        expr: up == 0{beside}
        labels: {{severity: page, service: shop, team: us}}
        annotations: {{summary: down, description: down, runbook_url: https://example.com/down}}
      - alert: Slow
        expr: scrape_duration_seconds > 9
        labels: {{severity: page, service: shop, team: us}}
        annotations: {{summary: down, description: down, runbook_url: https://example.com/down}}
"""


def _found(tmp_path: Path, above: str = "# -", beside: str = "", config: str = "") -> list[tuple[str, int]]:
    rules = tmp_path / "rules.yml"
    rules.write_text(_RULES.format(above=above, beside=beside), encoding="utf-8")
    settings = tmp_path / "obs-lint.yml"
    settings.write_text(config or "{}", encoding="utf-8")
    report = run.lint([rules], config=settings, today=_DAY)
    return [(one.check, one.place.line) for one in report.problems if one.severity != "info"]


_BOTH = [("alert-without-for", 5), ("alert-without-for", 9)]


def test_without_a_comment_both_rules_are_found(tmp_path: Path) -> None:
    assert _found(tmp_path) == _BOTH


def test_a_comment_above_a_rule_holds_for_all_of_that_rule_and_no_other(tmp_path: Path) -> None:
    assert _found(tmp_path, "# obs-lint: disable=alert-without-for flaps") == _BOTH[1:]


def test_a_comment_at_the_end_of_a_line_holds_for_that_line_alone(tmp_path: Path) -> None:
    found = _found(tmp_path, beside="  # obs-lint: disable=alert-without-for flaps")

    assert found == [_BOTH[0], ("silence-unused", 6), _BOTH[1]]


def test_a_comment_for_the_file_holds_everywhere(tmp_path: Path) -> None:
    assert _found(tmp_path, "# obs-lint: disable-file=alert-without-for flaps") == []


@pytest.mark.parametrize(("until", "hides"), [("2026-06-01", True), ("2026-05-31", False)])
def test_a_snooze_holds_through_its_last_day(until: str, hides: bool, tmp_path: Path) -> None:
    found = _found(tmp_path, f"# obs-lint: snooze=alert-without-for until={until} moved in May")

    assert found == (_BOTH[1:] if hides else [("silence-expired", 4), *_BOTH])


@pytest.mark.parametrize(
    "words",
    [
        "disable=alert-without-vor flaps",
        "disable=alert-without-for",
        "snooze=alert-without-for flaps",
        "snooze=alert-without-for until=soon flaps",
        "disable=alert-without-for until=2026-12-01 flaps",
        "silence=alert-without-for flaps",
        "",
    ],
)
def test_a_comment_that_cannot_be_understood_hides_nothing_and_is_an_error(
    words: str, tmp_path: Path
) -> None:
    assert _found(tmp_path, f"# obs-lint: {words}") == [("silence-malformed", 4), *_BOTH]


def test_words_in_a_string_are_no_comment(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    text = "groups: [{name: 'obs-lint: disable=alert-without-for x', rules: [{alert: A, expr: up == 0}]}]\n"
    rules.write_text(text, encoding="utf-8")

    assert "alert-without-for" in {problem.check for problem in run.lint([rules]).problems}


def test_settings_switch_off_by_check_and_by_path(tmp_path: Path) -> None:
    assert _found(tmp_path, config="severity: {alert-without-for: off}") == []
    assert _found(tmp_path, config="severity: {alert-without-for: info}") == []
    by_path = 'paths: [{match: "rules.*", disable: [alert-without-for], reason: "frozen"}]'
    assert _found(tmp_path, config=by_path) == []
    assert _found(tmp_path, config=by_path.replace("rules.*", "other/*")) == _BOTH


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ("severety: {}", ":1:1"),
        ("severity: {alert-without-vor: off}", ":1:12"),
        ("severity: {alert-without-for: bad}", ":1:31"),
        ('paths: [{match: "x", disable: [alert-without-for]}]', ":1:9"),
        ("scrape_interval: 5", ":1:18"),
    ],
)
def test_a_mistake_in_the_settings_names_its_place(config: str, place: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        _found(tmp_path, config=config)
    assert str(caught.value.where).endswith(place)


def test_a_baseline_knows_old_problems_wherever_they_have_moved_and_no_new_ones(tmp_path: Path) -> None:
    _found(tmp_path)
    rules, known = tmp_path / "rules.yml", tmp_path / "known.json"
    written = baseline.write(known, run.lint([rules]).problems)
    text = rules.read_text(encoding="utf-8")
    rules.write_text("# one line more\n" + text + "      - {alert: New, expr: up == 0}\n", encoding="utf-8")

    report = run.lint([rules], baseline=known)

    assert written == len(report.known)
    assert {problem.place.line for problem in report.problems} == {14}


def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    for text in (
        "{",
        "[]",
        "[" * 100_000,
        '{"format": "other"}',
        '{"format": "obs.lint-baseline/v1", "problems": [{}]}',
    ):
        known.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="no baseline"):
            baseline.read(known)
