"""Custom alerts: what a spec must say of them, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from obs.catalogue import Counter, bundled, contract
from obs.catalogue.signal import Label
from obs.errors import ObsError
from obs.generate import pipeline
from obs.generate.derive import rules
from obs.generate.model import Alert, Duration
from obs.generate.spec.load import load

BASKETS = Counter(
    id="checkout.baskets",
    metric="checkout_baskets_total",
    help="Baskets by what became of them.",
    unit="{basket}",
    labels=(Label("result", "What became of it.", ("bought", "abandoned")),),
)
RUNBOOK = """# BasketAbandoned

## Meaning

Customers fill baskets and leave.

## Impact

Nothing is sold.

## Diagnosis

1. Which result grows?

   ```promql
   sum by (result) (rate(checkout_baskets_total[5m]))
   ```

## Mitigation

1. Take back the last release.

## Changes

- Threshold halved in spring.
"""
SPEC = """version: obs/v1
service: {name: checkout, team: payments}
contract: ./checkout.contract.json
capabilities: [process]
custom_alerts:
  BasketAbandoned:
    expr: EXPR
    for: 10m
    severity: ticket
    tests:
      - {series: {'checkout_baskets_total{result="abandoned"}': 0+60x30}, silent_at: 9m, fires_at: 25m}
    runbook: ./runbooks/BasketAbandoned.md
environments:
  prod: {select: {environment: prod}}
"""
GOOD = 'sum by (service) (rate(checkout_baskets_total{result="abandoned"}[10m])) > 0.5'


@pytest.fixture(autouse=True)
def _beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runbooks").mkdir()
    Path("runbooks/BasketAbandoned.md").write_text(RUNBOOK, encoding="utf-8")
    Path("checkout.contract.json").write_text(contract.dumps([*bundled(), BASKETS]), encoding="utf-8")


def _spec(text: str = SPEC, expr: str = GOOD) -> list[Path]:
    Path("spec.yml").write_text(text.replace("EXPR", expr), encoding="utf-8")
    return [Path("spec.yml")]


def _alert(expr: str = GOOD, environment: str | None = None) -> Alert:
    (service,) = load(_spec(expr=expr), environment)
    return next(
        alert
        for file in rules.rule_files(service)
        for alert in file.alerts
        if alert.name == "BasketAbandoned"
    )


def _flat(expr: str) -> str:
    return " ".join(expr.split()).replace("( ", "(").replace(" )", ")")


def test_it_reads_only_the_series_of_its_service_and_says_from_which_environment() -> None:
    assert _flat(_alert().expr) == (
        "sum by (service, environment) (rate(checkout_baskets_total"
        '{result="abandoned",service="checkout"}[10m])) > 0.5'
    )


def test_in_an_environment_it_reads_the_series_of_that_one() -> None:
    alert = _alert('sum (rate(checkout_baskets_total{result="abandoned"}[10m])) > 0.5', "prod")

    assert 'environment="prod"' in alert.expr
    assert alert.labels["environment"] == "prod"


def test_it_carries_what_every_alert_carries() -> None:
    alert = _alert()

    assert alert.labels == {
        "category": "custom", "service": "checkout", "severity": "ticket", "team": "payments", "tier": "standard",
    }  # fmt: skip
    assert set(alert.annotations) >= {"summary", "description", "runbook_url", "dashboard_url"}
    assert alert.signals == ("checkout.baskets",)
    assert (alert.window, alert.for_) == (Duration.parse("10m"), Duration.parse("10m"))
    assert (alert.threshold.comparison, str(alert.threshold.value)) == (">", "0.5")


def test_its_tests_become_cases_with_the_labels_of_the_target() -> None:
    (case,) = _alert().tests

    assert [series.selector for series in case.series] == [
        (
            'checkout_baskets_total{environment="basketabandoned-test-1", instance="one", result="abandoned", '
            'service="checkout"}'
        )
    ]
    assert [(str(one.at), one.state) for one in case.expects] == [("9m", "silent"), ("25m", "firing")]
    assert set(_alert().omits) == {"silent", "for", "born", "gone"}


def test_its_page_holds_what_people_wrote_and_what_is_generated() -> None:
    pages = {str(one.path): one.text for one in pipeline.plan(_spec())}
    page = pages["runbooks/checkout/BasketAbandoned.md"]

    for words in (
        "Customers fill baskets",
        "Take back the last release",
        "Threshold halved",
        "## Verification",
    ):
        assert words in page
    assert "BasketAbandoned" in pages["runbooks/README.md"]


def test_its_panel_is_where_its_link_leads() -> None:
    found = next(
        one for one in pipeline.plan(_spec()) if "obs-checkout" in one.text and one.path.suffix == ".json"
    )
    panels = {panel["title"]: panel for panel in json.loads(found.text)["panels"]}

    assert f"viewPanel={panels['BasketAbandoned']['id']}" in _alert().annotations["dashboard_url"]


def test_an_alert_that_looks_back_for_days_is_tested_in_a_file_of_its_own() -> None:
    (service,) = load(_spec(expr=GOOD.replace("10m", "1d")))

    assert [file.stem for file in rules.rule_files(service) if "custom" in file.stem] == [
        "checkout-custom-slow"
    ]


def test_it_may_read_what_the_objectives_record() -> None:
    text = SPEC.replace("EXPR", "slo:period_error_budget_remaining:ratio < 0.5").replace(
        "custom_alerts:\n",
        "slos: {runs: {objective: 99, sli: {ratio: {total: job.runs, bad: {result: failure}}}}}\ncustom_alerts:\n",
    )
    text = text.replace(
        "'checkout_baskets_total{result=\"abandoned\"}'", "'slo:period_error_budget_remaining:ratio'"
    )
    (service,) = load(_spec(text))

    (alert,) = rules.rule_files(service)[-1].alerts
    assert _flat(alert.expr) == 'slo:period_error_budget_remaining:ratio{service="checkout"} < 0.5'


def _broken(old: str, new: str) -> str:
    assert old in SPEC.replace("EXPR", GOOD)
    return SPEC.replace("EXPR", GOOD).replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "checkout_baskets_total{result",
            "checkout_basket_total{result",
            (
                "spec.yml:7:11: custom_alerts.BasketAbandoned.expr: no signal of the contract is called "
                "'checkout_basket_total'\n  hint: did you mean 'checkout_baskets_total'?"
            ),
        ),
        (
            GOOD,
            GOOD.replace("result=", "reslt="),
            (
                "spec.yml:7:11: custom_alerts.BasketAbandoned.expr: checkout_baskets_total has no label 'reslt'\n"
                "  hint: did you mean 'result'?"
            ),
        ),
        (
            GOOD,
            "rate(checkout_baskets_total) > 1",
            "spec.yml:7:11: custom_alerts.BasketAbandoned.expr: no PromQL: ",
        ),
        (
            GOOD,
            "sum (rate(checkout_baskets_total[10m])) > 1",
            (
                "spec.yml:7:11: custom_alerts.BasketAbandoned.expr: the alert would not say in which environment it "
                "fires\n  hint: aggregate by (service, environment), or fix it under telemetry: "
                "{select: {environment: …}}"
            ),
        ),
        (
            "    for: 10m\n",
            "    for: 10m\n    summary: '{{ $labels.reslt }} is lost'\n",
            "spec.yml:6:3: custom_alerts.BasketAbandoned.summary: the expression yields no label 'reslt'\n",
        ),
        (
            ", fires_at: 25m",
            "",
            (
                "spec.yml:11:7: custom_alerts.BasketAbandoned.tests: no test says when the alert is firing\n"
                "  hint: add fires_at: to one"
            ),
        ),
        (
            "silent_at: 9m, ",
            "",
            (
                "spec.yml:11:7: custom_alerts.BasketAbandoned.tests: no test says when the alert is silent\n"
                "  hint: add silent_at: to one"
            ),
        ),
        (
            "silent_at: 9m",
            "silent_at: 90s",
            (
                "spec.yml:11:86: custom_alerts.BasketAbandoned.tests.1.silent_at: got 1m30s, expected a multiple of "
                "the test's interval, 1m"
            ),
        ),
        (
            "silent_at: 9m",
            "silent_at: 25m",
            "spec.yml:11:9: custom_alerts.BasketAbandoned.tests.1: two states are expected at 25m",
        ),
        (
            "    for: 10m\n",
            "    for: 30m\n",
            "spec.yml:11:7: custom_alerts.BasketAbandoned.tests: it cannot fire at 25m, for it waits 30m",
        ),
        (
            "    for: 10m\n    severity: ticket\n    tests:\n      - {",
            "    severity: ticket\n    tests:\n      - {pending_at: 2m, ",
            "spec.yml:10:7: custom_alerts.BasketAbandoned.tests: an alert without 'for' is never pending",
        ),
        (
            "0+60x30",
            "0..60",
            (
                "spec.yml:11:65: custom_alerts.BasketAbandoned.tests.1.series: got '0..60', expected values such as "
                "0+60x30\n  hint: promtool's notation for series"
            ),
        ),
        (
            "'checkout_baskets_total{result=",
            "'checkout_baskets_total{reslt=",
            (
                "spec.yml:11:9: custom_alerts.BasketAbandoned.tests: series "
                "'checkout_baskets_total{reslt=\"abandoned\"}': checkout_baskets_total has no label 'reslt'\n"
                "  hint: did you mean 'result'?"
            ),
        ),
        (
            "    runbook: ./runbooks/BasketAbandoned.md\n",
            "",
            "spec.yml:7:5: custom_alerts.BasketAbandoned needs 'runbook'",
        ),
        (
            "./runbooks/BasketAbandoned.md",
            "./runbooks/Basket.md",
            (
                "spec.yml:12:14: custom_alerts.BasketAbandoned.runbook: cannot read './runbooks/Basket.md'\n"
                "  hint: a Markdown file beside this one, relative to it"
            ),
        ),
        (
            "  BasketAbandoned:\n",
            "  basket-abandoned:\n",
            (
                "spec.yml:6:3: custom_alerts.basket-abandoned: got 'basket-abandoned', expected a name such as "
                "BasketAbandoned"
            ),
        ),
        (
            "  BasketAbandoned:\n",
            "  ProcessCpuHigh:\n",
            (
                "spec.yml:6:3: custom_alerts.ProcessCpuHigh: obs has an alert of this name\n"
                "  hint: tune it under alerts, or give yours another name such as CheckoutProcessCpuHigh"
            ),
        ),
        (
            "    for: 10m\n",
            "    for: 10m\n    labels: {team: me}\n",
            (
                "spec.yml:9:14: custom_alerts.BasketAbandoned.labels: label 'team' is given by the service, or has a "
                "key of its own"
            ),
        ),
        (
            "environments:\n",
            "alerts: {BasketAbandoned: {for: 1m}}\nenvironments:\n",
            (
                "spec.yml:13:10: alerts.BasketAbandoned: BasketAbandoned is an alert of the spec's own\n"
                "  hint: change it where it stands: custom_alerts.BasketAbandoned"
            ),
        ),
    ],
)
def test_a_mistake_is_answered_where_it_stands(old: str, new: str, message: str) -> None:
    with pytest.raises(ObsError) as refusal:
        pipeline.plan(_spec(_broken(old, new)))

    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            RUNBOOK.replace("## Impact", "## Effects"),
            "'./runbooks/BasketAbandoned.md' has no text under '## Impact'",
        ),
        (
            RUNBOOK.replace("checkout_baskets_total", "baskets_total"),
            "a query in it: no signal of the contract is called 'baskets_total'",
        ),
        (RUNBOOK + "<!-- obs:begin facts -->\n", "is no runbook that a person wrote"),
        (RUNBOOK + "## Facts\n\nSome.\n", "may not have a part of its own called 'Facts'"),
    ],
)
def test_a_runbook_that_nobody_could_follow_is_refused(text: str, message: str) -> None:
    Path("runbooks/BasketAbandoned.md").write_text(text, encoding="utf-8")

    with pytest.raises(ObsError) as refusal:
        pipeline.plan(_spec())

    assert message in str(refusal.value)


def test_one_that_is_switched_off_in_an_environment_is_not_there() -> None:
    text = SPEC + "    custom_alerts: {BasketAbandoned: {disabled: nobody buys here}}\n"
    text = text.replace("prod: {select: {environment: prod}}", "prod:\n    select: {environment: prod}")
    specs = _spec(text)

    assert [alert.name for alert in load(specs)[0].custom_alerts] == ["BasketAbandoned"]
    assert load(specs, "prod")[0].custom_alerts == ()
