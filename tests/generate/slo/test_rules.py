"""The rules of an SLO are those that the simulation beside it simulates, and say what they promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import SpecError
from obs.generate.derive.slo import files
from obs.generate.model import Alert, RecordingRule, RuleFile, RuleGroup
from obs.generate.spec.load import load

MINUTE, SPAN = 60, 240
HEAD = "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [http, jobs, process]\n"
RATIO = "{ratio: {total: http.server.requests, bad: {http.response.status_code: 5xx}}}"


def _files(tmp_path: Path, slo: str, more: str = "") -> list[RuleFile]:
    spec = tmp_path / "spec.yml"
    spec.write_text(f"{HEAD}{more}slos:\n  a: {slo}\n", encoding="utf-8")
    return files.rule_files(load([spec])[0])


def _recorded(found: list[RuleFile]) -> dict[str, tuple[RuleGroup, RecordingRule]]:
    return {
        rule.record: (group, rule)
        for file in found
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, RecordingRule)
    }


def _alerts(found: list[RuleFile]) -> dict[str, Alert]:
    return {alert.name: alert for file in found for alert in file.alerts}


def test_sums_are_recorded_in_the_rhythm_that_the_simulation_has(tmp_path: Path) -> None:
    recorded = _recorded(_files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}"))

    for name, seconds, window in (
        ("slo:sli_events:increase1m", MINUTE, "offset 1m"),
        ("slo:sli_events:increase4m", SPAN, "[4m]"),
        ("slo:sli_bad_events:increase4m", SPAN, "[4m]"),
        ("slo:sli_bad_events:increase30d", SPAN, "[30d]"),
        ("slo:sli_error:ratio_rate30d", SPAN, "increase30d"),
    ):
        group, rule = recorded[name]
        assert group.interval is not None
        assert group.interval.seconds == seconds, name
        assert window in rule.expr, name


def test_a_birth_counts_only_where_the_service_was_scraped_a_minute_before_it(tmp_path: Path) -> None:
    """Two targets are first scraped up to an interval apart: the later one's lifetime is no minute's work."""
    _, rule = _recorded(_files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}"))["slo:sli_events:increase1m"]

    assert 'last_over_time(up{service="shop"}[30m] offset 2m)' in rule.expr


def test_everything_that_sloth_records_is_recorded_under_its_name(tmp_path: Path) -> None:
    recorded = _recorded(_files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}"))
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")

    assert {f"slo:sli_error:ratio_rate{window}" for window in windows} <= set(recorded)
    assert {
        "slo:objective:ratio",
        "slo:error_budget:ratio",
        "slo:time_period:days",
        "slo:current_burn_rate:ratio",
        "slo:period_burn_rate:ratio",
        "slo:period_error_budget_remaining:ratio",
        "sloth_slo_info",
    } <= set(recorded)
    for _, rule in recorded.values():
        assert rule.labels["sloth_id"] == "shop-a"
        assert (rule.labels["sloth_service"], rule.labels["sloth_slo"]) == ("shop", "a")
    for window in windows:
        assert recorded[f"slo:sli_error:ratio_rate{window}"][1].labels["sloth_window"] == window


def test_figures_of_the_budget_are_exact_decimals(tmp_path: Path) -> None:
    recorded = _recorded(_files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}"))

    assert recorded["slo:objective:ratio"][1].expr == "vector(0.999)"
    assert recorded["slo:error_budget:ratio"][1].expr == "vector(0.001)"
    assert recorded["slo:current_burn_rate:ratio"][1].expr.endswith("\n  0.001")


def test_no_rule_of_the_fast_file_looks_back_for_days(tmp_path: Path) -> None:
    short, long, period = _files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}")

    def expressions(file: RuleFile) -> str:
        return "\n".join(rule.expr for group in file.groups for rule in group.rules)

    assert not any(window in expressions(short) for window in ("1d", "3d", "30d"))
    assert "[3d]" in expressions(long)
    assert "[30d]" not in expressions(long)
    assert "[30d]" in expressions(period)


@pytest.mark.parametrize(
    ("window", "lines"),
    [
        ("30d", ("0.0144", "0.006", "0.003", "0.001")),
        ("28d", ("0.01344", "0.0056", "0.0028", "0.000933333333")),
        ("7d", ("0.0144", "0.006", "0.003", "0.001")),
        ("90d", ("0.0144", "0.006", "0.003", "0.001")),
    ],
)
def test_no_period_raises_a_ticket_below_its_even_pace_or_overlooks_three_times_that(
    window: str, lines: tuple[str, ...], tmp_path: Path
) -> None:
    alerts = _alerts(_files(tmp_path, f"{{objective: 99.9, window: {window}, sli: {RATIO}}}"))

    for line in lines[:2]:
        assert f"> {line}" in " ".join(alerts["ErrorBudgetBurnFast"].expr.split())
    for line in lines[2:]:
        assert f"> {line}" in " ".join(alerts["ErrorBudgetBurnSlow"].expr.split())


@pytest.mark.parametrize("window", ["7d", "28d", "30d", "90d"])
def test_an_objective_whose_page_could_never_fire_is_an_error(window: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"expected an objective above 9[23]"):
        _files(tmp_path, f"{{objective: 92.5, window: {window}, sli: {RATIO}}}")


def test_groups_are_bounded_and_counted_only_where_there_are_any(tmp_path: Path) -> None:
    plain = _files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}")
    grouped = _files(tmp_path, f"{{objective: 99.9, by: [http.route], max_groups: 7, sli: {RATIO}}}")

    assert {group.limit for file in plain for group in file.groups} == {None}
    assert {group.limit for file in grouped for group in file.groups} == {70}
    assert "SloGroupsTooMany" not in _alerts(plain)
    assert _alerts(grouped)["SloGroupsTooMany"].expr.endswith("\n  7")
    for _, rule in list(_recorded(grouped).values())[:2]:
        assert "by (service, environment, http_route)" in rule.expr


def test_a_page_and_a_ticket_of_one_slo_can_be_told_to_belong_together(tmp_path: Path) -> None:
    alerts = _alerts(_files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}"))
    fast, slow = alerts["ErrorBudgetBurnFast"].labels, alerts["ErrorBudgetBurnSlow"].labels

    assert (fast["sloth_severity"], slow["sloth_severity"]) == ("page", "ticket")
    assert {key for key in fast if fast[key] != slow[key]} == {"severity", "sloth_severity"}
    assert "sloth_severity" not in alerts["ErrorBudgetExhausted"].labels


def test_minutes_of_planned_downtime_are_multiplied_by_zero(tmp_path: Path) -> None:
    downtime = 'downtime: {night: {days: [sunday], from: "02:00", to: "04:30", reason: backup}}\n'
    recorded = _recorded(_files(tmp_path, f"{{objective: 99.9, sli: {RATIO}}}", downtime))

    counted = " ".join(recorded["slo:sli_counted:bool"][1].expr.split())
    assert "day_of_week() == bool 0" in counted
    assert ">= bool 120" in counted
    assert "< bool 271" in counted
    for name in ("slo:sli_events:increase1m", "slo:sli_bad_events:increase1m"):
        assert "* on () group_left ()" in " ".join(recorded[name][1].expr.split())
