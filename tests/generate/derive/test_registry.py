"""Capabilities are complete: a panel, a guide and stories of all kinds for each alert, and a name in the model."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from obs.generate.derive import grid
from obs.generate.derive.capabilities import registry
from obs.generate.derive.capabilities.capability import Capability
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.drafts import KINDS, Case, Draft, Fact, Kit, finish
from obs.generate.derive.rules import derive_rules
from obs.generate.derive.settings import Settings
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import CAPABILITIES, Alert, Duration, Kind, Service, Threshold
from obs.generate.spec.load import load

COMPLETE = Path(__file__).parents[2] / "golden" / "complete"
#: Parts of this product that a service may have; engines are services of their own (specs/stack).
OWN = {
    "cache", "database", "event_loop", "exceptions", "grpc", "http", "jobs", "process", "queue", "resilience",
    "sdk", "tasks", "websocket",
}  # fmt: skip


def _complete() -> Service:
    (service,) = load([COMPLETE])
    return service


def _names(capability: Capability) -> list[str]:
    return [*(entry.name for entry in capability.alerts), *(entry.name for entry in capability.job_alerts)]


def _alerts(service: Service) -> list[Alert]:
    return [alert for file in derive_rules(service).files for alert in file.alerts]


def test_specs_may_name_exactly_the_capabilities_that_are_not_always_there() -> None:
    assert sorted(CAPABILITIES) == sorted(one.name for one in registry.REGISTRY if not one.always)


def test_no_two_capabilities_and_no_two_alerts_share_a_name() -> None:
    names = Counter(one.name for one in registry.REGISTRY)
    alerts = Counter(name for one in registry.REGISTRY for name in _names(one))

    assert max(names.values()) == 1
    assert max(alerts.values()) == 1


def test_categories_are_words_that_a_label_may_hold() -> None:
    for one in registry.REGISTRY:
        assert re.fullmatch(r"[a-z]+", one.category), one.name


def test_the_complete_service_has_every_alert_of_its_capabilities() -> None:
    service = _complete()
    wanted = {name for one in registry.REGISTRY if one.name in OWN or one.always for name in _names(one)}

    assert set(service.capabilities) == OWN
    assert derive_rules(service).skipped == ()
    assert {alert.name for alert in _alerts(service)} == wanted


def test_each_alert_is_filed_under_the_category_of_its_capability() -> None:
    for alert in _alerts(_complete()):
        capability, _ = registry.entries()[alert.name]
        assert alert.category == capability.category


def test_each_alert_points_at_a_panel_of_the_dashboard() -> None:
    service = _complete()
    alerts = _alerts(service)
    keys = {panel.key for row in derive_dashboard(service, alerts).rows for panel in row.panels}

    assert {alert.panel for alert in alerts} <= keys


def test_each_alert_tells_a_story_of_each_kind_or_says_why_not() -> None:
    for alert in _alerts(_complete()):
        told = {case.kind for case in alert.tests}
        assert told | set(alert.omits) == set(KINDS), alert.name
        assert not told & set(alert.omits), alert.name
        assert {"fires", "silent"} <= told, alert.name
        assert all(len(reason.split()) > 3 for reason in alert.omits.values()), alert.name


def test_alerts_on_counters_are_told_of_a_counter_that_is_born_with_its_first_event() -> None:
    for alert in _alerts(_complete()):
        if "unless" in alert.expr and "offset" in alert.expr:
            assert "born" in {case.kind for case in alert.tests}, alert.name


def test_a_draft_that_leaves_out_a_kind_without_a_reason_is_refused() -> None:
    draft, kit = _draft(), _kit()

    with pytest.raises(ValueError, match="no story of kind silent, for, born, gone, and no reason why"):
        finish(draft, kit, category="http", panel="http-errors")


def test_a_draft_with_reasons_for_what_it_leaves_out_is_an_alert_that_carries_them() -> None:
    left_out: tuple[Kind, ...] = ("silent", "for", "born", "gone")
    reasons = dict.fromkeys(left_out, "nothing of that kind can happen")
    alert = finish(replace(_draft(), omits=reasons), _kit(), category="http", panel="http-errors")

    assert alert.omits == reasons
    assert (alert.category, alert.panel) == ("http", "http-errors")


def test_a_draft_that_omits_what_it_tells_is_refused() -> None:
    reasons = dict.fromkeys(KINDS, "nothing of that kind can happen")

    with pytest.raises(ValueError, match="omits kinds that it has stories of: fires"):
        finish(replace(_draft(), omits=reasons), _kit(), category="http", panel="http-errors")


def _kit() -> Kit:
    service = _complete()
    settings = Settings("page", Duration.parse("1m"), Decimal(1), Duration.parse("5m"))
    return Kit(service, Vocabulary.of(service), settings, *grid.fast(settings))


def _draft() -> Draft:
    return Draft(
        name="HttpErrorRatioHigh",
        expr='up{service="market"} == 0',
        signals=("target.up",),
        threshold=Threshold(Decimal(0), "1", "==", "down"),
        summary="down",
        description="It is down.",
        cases=(Case("fires", "it is down", (), (Fact(1, "silent"),)),),
        window=Duration(0),
    )
