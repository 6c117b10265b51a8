"""Objectives of sloth become ours: the same numbers, queries that count events, and nothing lost in silence."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from obs.cli.main import run
from obs.errors import ObsError
from obs.generate import checking
from obs.generate.adopt import importing, samples, sloth
from obs.generate.derive import rules
from obs.generate.derive.promql import counting
from obs.generate.derive.promql.syntax import read, selectors
from obs.generate.model import CustomSli
from obs.generate.spec.load import load

HEAD = "version: prometheus/v1\nservice: shop\nlabels: {owner: buyers}\nslos:\n"
EVENTS = """\
  - name: availability
    objective: 99.95
    description: "Requests that are answered."
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop"}[{{ .window }}]))
"""
LATENCY = """\
  - name: latency
    objective: 99
    sli:
      events:
        error_query: |
          sum(rate(http_request_duration_seconds_count[{{.window}}]))
          - sum(rate(http_request_duration_seconds_bucket{le="0.5"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count[{{.window}}]))
"""
RAW = """\
  - name: raw
    objective: 95
    sli: {raw: {error_ratio_query: "sum(rate(failed_total[{{.window}}])) / sum(rate(orders_total[{{.window}}]))"}}
"""
GOOD = """\
  - name: good
    objective: 95
    sli:
      raw:
        error_ratio_query: >-
          1 - (sum(rate(jobs_total{result!~"failed|lost"}[{{.window}}])) / sum(rate(jobs_total[{{.window}}])))
"""


def _imported(tmp_path: Path, text: str) -> importing.Imported:
    path = tmp_path / "sloth.yml"
    path.write_text(HEAD + text, encoding="utf-8")
    done = importing.convert(sloth.read(path), "./shop.contract.json")
    (tmp_path / "shop.yml").write_text(done.spec, encoding="utf-8")
    (tmp_path / "shop.contract.json").write_text(done.contract, encoding="utf-8")
    return done


def test_every_form_of_an_objective_is_carried_over(tmp_path: Path) -> None:
    done = _imported(tmp_path, EVENTS + LATENCY + RAW + GOOD)

    assert done.lost == ()
    assert checking.check([tmp_path / "shop.yml"]).mistakes == []
    (service,) = load([tmp_path / "shop.yml"])
    assert (service.name, service.team) == ("shop", "buyers")
    assert {slo.name: (slo.objective, str(slo.window)) for slo in service.slos} == {
        "availability": (Decimal("99.95"), "30d"),
        "good": (Decimal(95), "30d"),
        "latency": (Decimal(99), "30d"),
        "raw": (Decimal(95), "30d"),
    }


def test_the_burn_alerts_fire_at_the_rates_of_the_objective(tmp_path: Path) -> None:
    _imported(tmp_path, EVENTS)

    (service,) = load([tmp_path / "shop.yml"])
    text = " ".join(
        alert.expr
        for file in rules.rule_files(service)
        for alert in file.alerts
        if alert.name == "ErrorBudgetBurnFast"
    )
    # Two percent of the budget of 30 days in an hour, and five percent in six hours: 14.4 and 6 times 0.0005.
    assert {Decimal("0.0072"), Decimal("0.003")} <= {Decimal(one) for one in re.findall(r"\b0\.\d+", text)}


def test_queries_count_events_of_each_service_and_environment(tmp_path: Path) -> None:
    _imported(tmp_path, EVENTS)

    (slo,) = load([tmp_path / "shop.yml"])[0].slos
    assert isinstance(slo.sli, CustomSli)
    assert re.sub(r"\s+", "", slo.sli.total) == (
        'sumby(service,environment)(increase(http_requests_total{job="shop"}[{{window}}]))'
    )
    assert slo.sli.good_series == ('http_requests_total{job="shop"}',)
    assert slo.sli.bad_series == ('http_requests_total{code="500", job="shop"}',)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{plugin: {id: x}}", "plugin"),
        ('{raw: {error_ratio_query: "1 - avg_over_time(up[{{.window}}])"}}', "no events to count"),
        ('{raw: {error_ratio_query: "a:b[{{.window}}] / c"}}', ""),
        (
            '{events: {error_query: "sum(rate(a:b[{{.window}}]))", total_query: "sum(rate(c_total[{{.window}}]))"}}',
            "which a rule records",
        ),
        (
            '{events: {error_query: "count(a_total[{{.window}}])", total_query: "sum(rate(c_total[{{.window}}]))"}}',
            "",
        ),
        (
            '{events: {error_query: "max(rate(a_total[{{.window}}]))", total_query: "sum(rate(c_total[{{.window}}]))"}}',
            "cannot be grouped",
        ),
    ],
)
def test_what_cannot_be_carried_over_is_listed_with_its_place_and_the_reason(
    text: str, reason: str, tmp_path: Path
) -> None:
    done = _imported(tmp_path, f"  - {{name: odd, objective: 99, sli: {text}}}\n" + RAW)

    assert [(lost.what, lost.place and lost.place.line) for lost in done.lost] == [("slo 'odd'", 5)]
    assert reason in done.lost[0].reason
    assert done.objectives == ("raw",)
    assert "slo 'odd'" in done.spec
    assert checking.check([tmp_path / "shop.yml"]).mistakes == []


def test_texts_labels_and_switches_of_alerts_are_listed(tmp_path: Path) -> None:
    alerting = "    alerting: {name: X, annotations: {a: b}, page_alert: {labels: {x: y}}, ticket_alert: {disable: true}}\n"

    done = _imported(tmp_path, RAW + alerting)

    assert [lost.what for lost in done.lost] == [
        "slo 'raw': alerting.name", "slo 'raw': alerting.annotations", "slo 'raw': alerting.page_alert.labels",
        "slo 'raw': alerting.ticket_alert.disable",
    ]  # fmt: skip


def test_metrics_that_no_one_contract_can_hold_cost_the_later_objective_only(tmp_path: Path) -> None:
    other = (
        RAW.replace("name: raw", "name: other")
        .replace("failed_total", "late")
        .replace("orders_total", "orders")
    )

    done = _imported(tmp_path, RAW + other)

    assert done.objectives == ("raw",)
    assert "orders" in done.lost[0].reason
    assert checking.check([tmp_path / "shop.yml"]).mistakes == []


def test_names_that_a_spec_does_not_allow_are_changed_and_listed(tmp_path: Path) -> None:
    done = _imported(tmp_path, RAW.replace("name: raw", "name: 99 raw"))

    assert done.objectives == ("x-99-raw",)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("apiVersion: sloth.slok.dev/v1\n", ":1:1: version"),
        ("version: prometheus/v1\nservice: a\n", "needs 'slos'"),
        (HEAD + "  - {name: a, objective: 99, sli: {}}\n", ":5:35: slos.1.sli needs one of"),
        (HEAD + "  - {name: a, objective: 99, sli: {raw: {error_ratio_query: a / b}}}\n", "{{.window}}"),
        (HEAD + "  - {name: a, objektive: 99}\n", "did you mean 'objective'"),
    ],
)
def test_what_is_no_file_of_sloth_is_refused_with_its_place(text: str, where: str, tmp_path: Path) -> None:
    path = tmp_path / "sloth.yml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ObsError) as refusal:
        sloth.read(path)
    assert where in str(refusal.value)


def test_the_command_writes_spec_and_contract_and_tells_what_is_lost(tmp_path: Path) -> None:
    (tmp_path / "sloth.yml").write_text(
        HEAD + RAW + "  - {name: p, objective: 9, sli: {plugin: {id: x}}}\n", encoding="utf-8"
    )
    out = tmp_path / "specs" / "shop.yml"

    assert run(["spec", "import", str(tmp_path / "sloth.yml"), "--out", str(out)]) == 1
    assert run(["spec", "check", str(out)]) == 0
    assert run(["spec", "import", str(tmp_path / "sloth.yml"), "--out", str(out)]) == 2


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("sum(rate(a[5m]))", "sum by (service, environment) (increase(a[5m]))"),
        ("sum by (route) (irate(a[5m]))", "sum by (route, service, environment) (increase(a[5m]))"),
        ("sum without (pod) (rate(a[5m]))", "sum without (pod) (increase(a[5m]))"),
        (
            'sum(rate(a{x="sum(rate("}[5m])) + 1',
            'sum by (service, environment) (increase(a{x="sum(rate("}[5m])) + 1',
        ),
    ],
)
def test_rates_become_counts(text: str, counted: str) -> None:
    assert counting.counted(text, ("service", "environment")) == counting.counted(
        counted, ("service", "environment")
    )
    assert re.sub(r"\s", "", counting.counted(text, ("service", "environment"))) == re.sub(r"\s", "", counted)


@pytest.mark.parametrize(
    ("matchers", "rival"),
    [
        ("{}", '{code=~"5.."}'),
        ('{code!="500"}', '{code=~"4.."}'),
        ('{method=~"GET|PUT"}', '{method="GET"}'),
        ('{path=~"/api/.+"}', '{path=~"/api/.+", ok="no"}'),
        ('{code=~"[1-5][0-9]{2}"}', '{code=~"5[0-9]{2}"}'),
    ],
)
def test_series_are_told_apart_by_what_selects_them(matchers: str, rival: str) -> None:
    counted, chosen = (list(selectors(read(f"a_total{text}"))) for text in (matchers, rival))

    told = samples.tell_apart(counted, chosen)

    assert told is not None
    inside, outside = (list(selectors(read(one[0]))) for one in told)
    for series, wanted in ((inside[0], True), (outside[0], False)):
        labels = {matcher.label: matcher.value for matcher in series.matchers}
        assert samples._matches(counted[0], "a_total", labels)
        assert samples._matches(chosen[0], "a_total", labels) is wanted


def test_series_that_nothing_tells_apart_are_none() -> None:
    same = list(selectors(read("a_total")))

    assert samples.tell_apart(same, same) is None
