"""A service that somebody else has instrumented: its rules pass their tests and fire on its own series.

The series here are written by hand, as such a service exposes them; nothing of them is generated.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.catalogue import Histogram, bundled
from obs.generate import pipeline
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

SPEC = Path(__file__).parents[1] / "golden" / "mapped" / "spec.yml"
#: Capabilities of which every signal is the SDK's own.
CAPABILITIES = [
    "cache", "database", "event_loop", "exceptions", "grpc", "http", "process", "queue", "resilience", "sdk", "tasks",
    "websocket",
]  # fmt: skip
TARGET = 'service="auth", environment="prod", instance="one"'

#: Alert -> series that a scrape of the service stores, and minutes after which it must fire.
FIRES: dict[str, tuple[dict[str, str], int]] = {
    "HttpErrorRatioHigh": (
        {
            f'http_requests_total{{{TARGET}, status="200", path="/login"}}': "0+90x60",
            f'http_requests_total{{{TARGET}, status="503", path="/login"}}': "0+10x60",
        },
        12,
    ),
    "HttpLatencyP99High": (
        {
            f'http_request_duration_seconds_bucket{{{TARGET}, path="/", le="{bound}"}}': f"0+{events}x60"
            for bound, events in (("0.1", 10), ("1", 10), ("2.5", 95), ("5", 100), ("+Inf", 100))
        }
        | {f'http_request_duration_seconds_count{{{TARGET}, path="/"}}': "0+100x60"},
        20,
    ),
    "DbQueryLatencyP95High": (
        {
            f'db_query_duration_ms_bucket{{{TARGET}, le="{bound}"}}': f"0+{events}x60"
            for bound, events in (("100", 10), ("500", 20), ("1000", 90), ("5000", 100), ("+Inf", 100))
        }
        | {f"db_query_duration_ms_count{{{TARGET}}}": "0+100x60"},
        20,
    ),
    "DbPoolNearlyExhausted": (
        {f"db_connections_in_use{{{TARGET}}}": "19x60", f"db_connections_max{{{TARGET}}}": "20x60"},
        12,
    ),
    "CacheHitRatioLow": (
        {f"redis_cache_hits{{{TARGET}}}": "0+10x90", f"redis_cache_misses{{{TARGET}}}": "0+9000x90"},
        80,
    ),
    "CircuitBreakerOpen": (
        {
            f'circuit_breaker_state{{{TARGET}, exported_service="bank", state="{state}"}}': f"{value}x60"
            for state, value in (("open", 1), ("half-open", 0), ("closed", 0))
        },
        10,
    ),
    "TargetDown": ({f"up{{{TARGET}}}": "0x60"}, 5),
    "ErrorBudgetBurnFast": (
        {
            f'http_requests_total{{{TARGET}, status="200", path="/login"}}': "0+50x120",
            f'http_requests_total{{{TARGET}, status="500", path="/login"}}': "0+50x120",
            f"up{{{TARGET}}}": "1x120",
        },
        110,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("foreign")
    pipeline.write(pipeline.plan([SPEC]), out)
    return out / "alerts"


def _promtool(installed: Callable[[str], dict[str, Engine]], route: str, *arguments: str | Path) -> str:
    """Return what promtool finds wrong; empty when all is well."""
    done = subprocess.run(
        [str(installed(route)["promtool"].path), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_rules_of_foreign_metrics_pass_their_tests(
    generated: Path, route: str, installed: Callable[[str], dict[str, Engine]]
) -> None:
    rules = sorted((generated / "prometheus").glob("*.yml"))
    tests = sorted((generated / "tests").glob("*_test.yml"))

    assert _promtool(installed, route, "check", "rules", "--lint-fatal", *rules) == ""
    assert _promtool(installed, route, "test", "rules", *tests) == ""


def test_alerts_fire_on_the_series_of_the_service(
    generated: Path, tmp_path: Path, installed: Callable[[str], dict[str, Engine]]
) -> None:
    document = {
        "rule_files": [str(file) for file in sorted((generated / "prometheus").glob("*.yml"))],
        "evaluation_interval": "1m",
        "tests": [
            {
                "name": alert,
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count by (service, team) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
                        "eval_time": f"{minutes}m",
                        "exp_samples": [{"labels": '{service="auth", team="identity"}', "value": 1}],
                    }
                ],
            }
            for alert, (series, minutes) in FIRES.items()
        ],
    }
    file = tmp_path / "foreign_test.yml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")

    assert _promtool(installed, "go", "test", "rules", file) == ""


def _every_signal(*, labels: bool) -> dict[str, Any]:
    """Map every signal of the SDK to a metric of other names, values and units; without labels, to a bare one."""
    mapping: dict[str, Any] = {}
    for signal in bundled():
        if signal.origin != "sdk":
            continue
        name = signal.id.replace(".", "_")
        own: dict[str, Any] = {"metric": f"my_{name}", "labels": {}}
        if isinstance(signal, Histogram):
            factor = 1000 if signal.unit == "s" else 1
            own |= {"buckets": [bound * factor for bound in signal.buckets]}
            own |= {"unit": "ms"} if signal.unit == "s" else {}
        for label in signal.labels if labels else ():
            values = {value: [f"a-{value.lower()}", f"b-{value.lower()}"] for value in label.values}
            own["labels"][label.name] = {
                "label": f"my_{label.named()}",
                **({"values": values} if values else {}),
            }
        mapping[signal.id] = own | ({"match": {"kind": "mine"}} if labels else {})
    return mapping


@pytest.mark.parametrize("labels", [True, False], ids=["renamed", "bare"])
def test_rules_of_every_capability_can_be_told_in_other_names(
    labels: bool, tmp_path: Path, installed: Callable[[str], dict[str, Engine]]
) -> None:
    spec = {
        "version": "obs/v1",
        "service": {"name": "auth", "team": "identity"},
        "contract": "none",
        "capabilities": CAPABILITIES,
        "mapping": _every_signal(labels=labels),
    }
    (tmp_path / "auth.yml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    plan = pipeline.prepare([tmp_path / "auth.yml"])
    pipeline.write(plan.artefacts, tmp_path)
    alerts = tmp_path / "alerts"

    # Without any label some alerts have nothing to tell bad from good by.
    assert bool(plan.skipped) is not labels
    assert not any("obs_gap_" in artefact.text for artefact in plan.artefacts)
    assert _promtool(installed, "go", "test", "rules", *sorted((alerts / "tests").glob("*_test.yml"))) == ""


def test_the_rules_name_only_what_the_service_exposes(generated: Path) -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (generated / "prometheus").glob("auth*.yml"))

    assert "http_server_request_duration_seconds" not in text
    assert "obs_gap_" not in text
    assert "http_response_status_code" not in text
