"""Dashboards of services with metrics of their own: no alert leads to a panel that is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.catalogue import Histogram, bundled
from obs.generate.derive.capabilities.registry import REGISTRY
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.rules import rule_files
from obs.generate.model import Alert, Panel, Service
from obs.generate.spec.load import load

SDK = {signal.id: signal for signal in bundled() if signal.origin == "sdk"}
CAPABILITIES = [one.name for one in REGISTRY if one.name not in {"logs", "targets"}]


def _service(folder: Path, capability: str, signals: Collection[str], *, labels: bool) -> Service:
    mapping: dict[str, Any] = {}
    for id_ in sorted(signals):
        signal = SDK[id_]
        own: dict[str, Any] = {"metric": f"my_{id_.replace('.', '_')}"}
        if isinstance(signal, Histogram):
            own["buckets"] = list(signal.buckets)
        if labels:
            own["labels"] = {label.name: f"my_{label.named()}" for label in signal.labels}
        mapping[id_] = own
    spec: dict[str, Any] = {
        "version": "obs/v1",
        "service": {"name": "auth", "team": "identity"},
        "contract": "none",
        "capabilities": [capability],
        "mapping": mapping,
    }
    if capability == "jobs":
        spec["jobs"] = {"settlement": {"schedule": "1h", "grace": "10m"}}
    path = folder / "auth.yml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    (service,) = load([path])
    return service


def _alerts(service: Service) -> list[Alert]:
    return [alert for file in rule_files(service) for alert in file.alerts]


def _panels(service: Service) -> dict[str, Panel]:
    rows = derive_dashboard(service, _alerts(service)).rows
    return {panel.key: panel for row in rows for panel in row.panels}


def _what_alerts_need(folder: Path, capability: str) -> Iterator[frozenset[str]]:
    """Yield every signal there is, then what each alert needs and nothing else."""
    yield frozenset(SDK)
    every = _service(folder, capability, SDK, labels=True)
    yield from {frozenset(alert.signals) & frozenset(SDK) for alert in _alerts(every)} - {frozenset()}


@pytest.mark.parametrize("labels", [True, False], ids=["renamed", "bare"])
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_alert_leads_to_a_panel_whatever_else_is_not_measured(
    capability: str, labels: bool, tmp_path: Path
) -> None:
    for signals in _what_alerts_need(tmp_path, capability):
        service = _service(tmp_path, capability, signals, labels=labels)
        panels = _panels(service)

        dead = {alert.name: alert.panel for alert in _alerts(service) if alert.panel not in panels}
        assert dead == {}, sorted(signals)


def test_what_the_metrics_do_not_tell_apart_is_one_curve_without_a_name(tmp_path: Path) -> None:
    pool = {"db.connections.used", "db.connections.max"}
    panel = _panels(_service(tmp_path, "database", pool, labels=False))["db-pool"]

    (query,) = panel.queries
    assert "max by (instance) (" in query.expr
    assert "obs_gap" not in query.expr
    assert query.legend == "{{instance}}"


def test_a_panel_that_no_alert_needs_is_left_out_where_it_would_say_what_another_says(tmp_path: Path) -> None:
    panels = _panels(_service(tmp_path, "http", {"http.server.requests"}, labels=False))

    assert "http-traffic" in panels
    assert "http-routes" not in panels
