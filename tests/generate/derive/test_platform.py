"""Engines, exporters and conventions: each signal is watched or shown, and what a service lacks is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.catalogue import Counter, Registry, bundled, contract
from obs.catalogue.everything import CONVENTIONS, PLATFORM, everything, with_platform
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.guidance.book import derive_runbooks
from obs.generate.derive.rules import derive_rules
from obs.generate.model import Alert, Service
from obs.generate.spec.load import load
from obs.stack.servers import SERVERS

ROOT = Path(__file__).parents[3]
SPECS = [ROOT / "specs" / "stack", ROOT / "tests" / "golden" / "platform"]


def services() -> list[Service]:
    return list(load(SPECS))


def alerts_of(service: Service) -> list[Alert]:
    return [alert for file in derive_rules(service).files for alert in file.alerts]


def test_each_server_of_the_stack_has_a_spec_of_its_own() -> None:
    names = {service.name for service in load(SPECS[:1])}

    assert names == set(SERVERS)
    # Of the two that are no captured engine, the end of certificates is watched, and that they answer.
    assert names == {*PLATFORM, "runbooks", "grafana"} - {"blackbox"}


def test_every_engine_and_convention_signal_is_asked_for() -> None:
    asked: set[str] = set()
    for service in services():
        alerts = alerts_of(service)
        dashboard = derive_dashboard(service, alerts)
        texts = [query.expr for row in dashboard.rows for panel in row.panels for query in panel.queries]
        texts += [
            query
            for page in derive_runbooks(service, alerts)
            for step in page.diagnosis
            for query in step.queries
        ]
        asked |= {word for text in texts for word in _names(text)}
    wanted = [s for group in (PLATFORM, CONVENTIONS) for signals in group.values() for s in signals]
    # A histogram is asked for by its parts.
    assert [s.id for s in wanted if not any(name.startswith(s.metric) for name in asked)] == []


def _names(text: str) -> set[str]:
    return {
        word for word in text.replace("(", " ").replace("{", " ").replace("[", " ").split() if "_" in word
    }


def test_nothing_is_skipped_where_everything_is_known() -> None:
    assert [skipped for service in services() for skipped in derive_rules(service).skipped] == []


def test_alerts_on_what_a_contract_does_not_declare_are_skipped_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "shop.contract.json").write_text(contract.dumps(bundled()), encoding="utf-8")
    spec = tmp_path / "shop.yml"
    spec.write_text(
        "version: obs/v1\nservice: {name: shop, team: shop, tier: standard}\n"
        "contract: ./shop.contract.json\ncapabilities: [business, probes]\n",
        encoding="utf-8",
    )
    (service,) = load([spec])
    rules = derive_rules(service)

    skipped = {one.alert: one.reason for one in rules.skipped}
    assert set(skipped) == {"OrdersDropped", "PaymentFailureRatioHigh", "PaymentsPendingTooLong"}
    assert "orders.created" in skipped["OrdersDropped"]
    assert "EndpointProbeFailing" in {alert.name for alert in alerts_of(service)}


def test_a_service_s_own_signal_wins_over_one_of_the_platform() -> None:
    own = Counter(id="probe.success", metric="own_probes_total", help="")
    taken = Counter(id="mine", metric="otelcol_exporter_sent_spans_total", help="")
    merged = with_platform(Registry([own, taken]))

    assert merged.find("probe.success") is own
    assert "collector.spans.sent" not in merged
    assert "collector.spans.undelivered" in merged


def test_a_contract_of_own_signals_only_generates_what_every_scrape_can_tell(tmp_path: Path) -> None:
    own = Counter(id="shop.orders", metric="shop_orders_total", help="Orders.")
    (tmp_path / "own.json").write_text(contract.dumps([own]), encoding="utf-8")
    spec = tmp_path / "shop.yml"
    spec.write_text(
        "version: obs/v1\nservice: {name: shop, team: shop}\ncontract: ./own.json\n", encoding="utf-8"
    )

    assert "TargetDown" in {alert.name for alert in alerts_of(load([spec])[0])}


def test_everything_has_unique_names() -> None:
    assert len(everything()) == len({signal.id for signal in everything()})


@pytest.mark.parametrize("service", services(), ids=lambda service: str(service.name))
def test_every_alert_names_whose_it_is(service: Service) -> None:
    for alert in alerts_of(service):
        # What an alert is counted by must keep service and environment, or inhibition and routes cannot know them.
        assert "service, environment" in alert.expr, alert.name
        assert alert.labels["service"] == service.name
        assert alert.for_, alert.name
