"""Rules that are evaluated in the past, and their tests, which come later by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import SpecError
from obs.generate import pipeline
from obs.generate.model import Duration, Expectation, Series, TestCase
from obs.generate.render.delay import later

MINUTE = Duration.parse("1m")
SPEC = """\
version: obs/v1
service: {name: shop, team: us}
capabilities: [http, tls, jobs]
jobs: {nightly: {schedule: 24h, grace: 2h}}
kubernetes: {namespace: shop}
slos:
  fresh: {objective: 99, sli: {freshness: {signal: job.last_success, under: 26h}}}
  good: {objective: 99, sli: {ratio: {total: http.server.requests, bad: {http.response.status_code: 5xx}}}}
"""


def _plan(telemetry: str, tmp_path: Path, more: str = "") -> dict[str, Any]:
    spec = tmp_path / "spec.yml"
    spec.write_text(f"{SPEC}telemetry: {telemetry}\n{more}", encoding="utf-8")
    return {
        str(artefact.path): yaml.safe_load(artefact.text)
        for artefact in pipeline.plan([spec])
        if artefact.path.suffix == ".yml"
    }


def _case(values: str, *instants: str) -> TestCase:
    facts = tuple(Expectation(Duration.parse(at), "silent") for at in instants)
    return TestCase("says", "fires", MINUTE, (Series("m", values),), facts)


def test_groups_of_rules_are_evaluated_in_the_past_where_the_spec_says_so(tmp_path: Path) -> None:
    files = _plan("{query_offset: 30s}", tmp_path)

    for path in ("alerts/prometheus/shop.yml", "alerts/prometheus/shop-slo-good.yml"):
        assert {group.get("query_offset") for group in files[path]["groups"]} == {"30s"}
    (rules,) = (file for path, file in files.items() if path.endswith("kubernetes/shop-rules.yml"))
    assert {group["query_offset"] for group in rules["spec"]["groups"]} == {"30s"}


def test_ages_gain_nothing_from_an_offset_and_have_none(tmp_path: Path) -> None:
    files = _plan("{query_offset: 30s}", tmp_path)

    for path in ("alerts/prometheus/shop-job-nightly.yml", "alerts/prometheus/shop-slo-fresh.yml"):
        assert not any("query_offset" in group for group in files[path]["groups"])


@pytest.mark.parametrize("telemetry", ["{}", "{query_offset: 0s}"])
def test_no_rule_is_evaluated_in_the_past_unless_the_spec_says_so(telemetry: str, tmp_path: Path) -> None:
    assert "query_offset" not in str(_plan(telemetry, tmp_path))


def test_an_environment_may_have_an_offset_of_its_own(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yml"
    spec.write_text(f"{SPEC}environments: {{far: {{telemetry: {{query_offset: 2m}}}}}}\n", encoding="utf-8")
    (file,) = (
        artefact.text
        for artefact in pipeline.plan([spec], environment="far")
        if str(artefact.path) == "alerts/prometheus/shop.yml"
    )

    assert "query_offset: 2m\n" in file


@pytest.mark.parametrize("offset", ["31m", "1500ms"])
def test_an_offset_that_no_server_could_record_at_is_refused(offset: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="expected whole seconds, at most 30m") as refused:
        _plan(f"{{query_offset: {offset}}}", tmp_path)

    assert str(refused.value.where).endswith("spec.yml:9:27")


def test_questions_come_later_by_whole_evaluations_and_samples_by_what_the_offset_leaves() -> None:
    late = later(_case("0+6x3 _ stale 7", "2m", "3m"), Duration.parse("40s"), MINUTE)

    assert [str(fact.at) for fact in late.expects] == ["3m", "4m"]
    assert str(late.step) == "20s"
    assert late.series[0].values == "_x1 0 _x2 6 _x2 12 _x2 18 _x2 _x3 stale _x2 7 _x2"


def test_samples_stay_where_the_offset_is_whole_evaluations() -> None:
    late = later(_case("0+6x3", "2m"), MINUTE * 2, MINUTE)

    assert (late.step, late.series[0].values) == (MINUTE, "0+6x3")
    assert [str(fact.at) for fact in late.expects] == ["4m"]


def test_an_alert_that_reads_the_clock_is_told_no_later_but_evaluated_at_each_instant(tmp_path: Path) -> None:
    plain, late = _plan("{}", tmp_path), _plan("{query_offset: 7s}", tmp_path)

    def of_certificates(files: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        return [
            (file["evaluation_interval"], series)
            for path, file in files.items()
            if path.startswith("alerts/tests/shop")
            for test in file.get("tests", [])
            if "CertificateExpires" in test["name"] and "states" in test["name"]
            # The end of a wait is told by where evaluations fall, so not with an offset.
            if any("pending" not in str(question["exp_samples"]) for question in test["promql_expr_test"])
            for series in test["input_series"]
            if "CertificateExpires" in series["series"]
        ]

    told = of_certificates(plain)
    assert told
    assert [series for _, series in of_certificates(late)] == [series for _, series in told]
    assert {every for every, _ in of_certificates(late)} == {"1s"}


@given(
    st.integers(1, 60), st.integers(1, 12), st.integers(1, 1800),
    st.lists(st.sampled_from(["_", "_x3", "5", "-2.5", "1e2", "stale", "0+1.5x4", "9-2x2", "7x0", "3x2"]), min_size=1),
)  # fmt: skip
def test_every_evaluation_finds_what_it_found_without_the_offset(
    step: int, steps: int, offset: int, parts: list[str]
) -> None:
    every = Duration(step * steps * 1000)
    case = TestCase("says", "fires", Duration(step * 1000), (Series("m", " ".join(parts)),), ())
    late = later(case, Duration(offset * 1000), every)
    shift = -(-offset // (step * steps)) * step * steps

    # An evaluation at `shift + t` looks at `shift + t - offset`.
    assert {at - shift + offset: value for at, value in _samples(late).items()} == _samples(case)


def _samples(case: TestCase) -> dict[int, float | str]:
    """Read values as promtool does: seconds -> sample."""
    found: dict[int, float | str] = {}
    at = 0
    for part in case.series[0].values.split():
        head, _, repeats = part.partition("x")
        if head == "_":
            at += int(repeats or 1)
            continue
        sign = next((sign for sign in "+-" if sign in head[1:]), "")
        first, growth = head.rsplit(sign, 1) if sign else (head, "0")
        for number in range(int(repeats or 0) + 1):
            value = first if first == "stale" else float(first) + float(sign + growth) * number
            found[at * case.step.milliseconds // 1000] = value
            at += 1
    return found
