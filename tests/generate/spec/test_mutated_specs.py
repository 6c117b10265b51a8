"""Whatever somebody does to a good spec, the answer is an error of obs or a service, never a traceback."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs.errors import ObsError
from obs.generate import checking
from obs.generate.derive import rules
from obs.generate.spec.load import load

GOOD: dict[str, Any] = {
    "version": "obs/v1",
    "extends": "./base.yml",
    "service": {"name": "shop", "team": "us", "tier": "critical"},
    "owners": {"chat": "#shop", "email": "shop@example.com", "escalation": ["the duty manager"]},
    "dialect": "classic",
    "capabilities": ["jobs"],
    "telemetry": {"path": "scrape", "interval": "15s", "select": {"region": "eu"}},
    "mapping": {
        "job.runs": {
            "metric": "cron_total",
            "labels": {"job.name": {"label": "task", "values": {"a": ["b", "c"]}}},
            "match": {"kind": "cron"},
            "bad": {"metric": "cron_failed_total", "when": {"result": "failure"}},
        },
        "http.server.duration": {
            "metric": "latency_ms",
            "unit": "ms",
            "buckets": [10, 100, 1000],
            "labels": {},
        },
    },
    "slos": {
        "speed": {
            "objective": 99,
            "window": "7d",
            "min_bad_events": 3,
            "sli": {"latency": {"signal": "http.server.duration", "under": "100ms"}},
        },
        "runs": {"objective": 95, "sli": {"ratio": {"total": "job.runs", "bad": {"result": "failure"}}}},
    },
    "alerts": {"JobFailureRatioHigh": {"threshold": 0.2, "window": "2h", "for": "1m", "severity": "page"}},
    "custom_alerts": {
        "CronBusy": {
            "expr": "sum by (service) (rate(cron_total[10m])) > 5",
            "for": "5m",
            "severity": "ticket",
            "labels": {"part": "cron"},
            "tests": [{"series": {"cron_total": "0+600x30"}, "silent_at": ["0m"], "fires_at": "20m"}],
            "runbook": "./CronBusy.md",
        }
    },
    "jobs": {"nightly": {"schedule": "24h", "grace": "1h"}},
    "downtime": {
        "weekly": {"days": ["sunday"], "from": "02:00", "to": "03:00", "reason": "backup"},
        "move": {"dates": ["2026-12-01"], "from": "02:00", "to": "24:00", "reason": "new racks"},
    },
    "dashboard": {
        "rows": [
            {
                "title": "Mine",
                "panels": [
                    {"title": "Runs", "description": "Runs.", "unit": "short", "expr": "sum (cron_total)"}
                ],
            }
        ]
    },
    "environments": {
        "dev": {
            "select": {"environment": "dev"},
            "severity": {"page": "ticket"},
            "interval": "30s",
            "slos": {"speed": {"objective": 95}},
            "alerts": {"JobNotRunning": {"disabled": "no jobs here"}},
        }
    },
    "notify": {"page": "pagerduty-shop", "ticket": "slack-shop"},
    "grouping": {"wait": "10s"},
    "links": {"grafana": "https://grafana.example"},
}
RUNBOOK = "".join(f"## {part}\n\nText.\n\n" for part in ("Meaning", "Impact", "Diagnosis", "Mitigation"))
JUNK: tuple[Any, ...] = (
    None, "", " ", "x", "0", 0, -1, 1e300, "1e-300", "nan", "inf", True, [], {}, [[]], [None], [{}], {"": ""}, {"x": 1},
    "{{ $labels.x }}", "\x07", "é" * 300, "../..", "/", "\0", "a\nb", "5m", "99999999999999999999d", "99.99999999",
    "http.server.duration", "5xx", "*", "none", "default", '"', "$__interval", "2026-13-45", "24:01", ["a", "a"],
)  # fmt: skip


def _paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [above] if above else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += _paths(inner, (*above, key))
    return found


PATHS = _paths(GOOD)


@st.composite
def _mutants(draw: st.DrawFn) -> dict[str, Any]:
    spec = copy.deepcopy(GOOD)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PATHS))
        node: Any = spec
        try:
            for key in path[:-1]:
                node = node[key]
            how = draw(st.sampled_from(["replace", "drop", "rename", "add"]))
            if how == "replace":
                node[path[-1]] = draw(st.sampled_from(JUNK))
            elif how == "drop":
                del node[path[-1]]
            elif how == "rename" and isinstance(node, dict):
                node[draw(st.sampled_from(["", "x", "extends", str(path[-1])[:-1] or "y"]))] = node.pop(
                    path[-1]
                )
            elif isinstance(node, dict):
                node[draw(st.sampled_from(["x", "metric", "disabled"]))] = draw(st.sampled_from(JUNK))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation has taken it away
    return spec


def _write(directory: str, spec: dict[str, Any]) -> Path:
    path = Path(directory, "spec.yml")
    path.write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
    Path(directory, "base.yml").write_text("service: {tier: standard}\n", encoding="utf-8")
    Path(directory, "CronBusy.md").write_text(RUNBOOK, encoding="utf-8")
    return path


def test_the_spec_that_is_mutated_is_good(tmp_path: Path) -> None:
    path = _write(str(tmp_path), GOOD)

    assert checking.check([path]).mistakes == []
    assert load([path], "dev")


def _refusal(path: Path) -> ObsError | None:
    """Return why the spec is refused; None when it is good."""
    try:
        for service in load([path]):
            rules.derive_rules(service)
    except ObsError as error:
        return error
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_mutants())
def test_a_mutated_spec_is_read_or_refused(spec: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        refusal = _refusal(_write(directory, spec))

    assert refusal is None or (refusal.message and refusal.exit_code == 2)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_mutants())
def test_a_check_tells_what_reading_stumbles_over(spec: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = _write(directory, spec)

        told = [str(mistake.error) for mistake in checking.check([path]).mistakes]
        refusal = _refusal(path)

    assert refusal is None or str(refusal) in told


@pytest.mark.parametrize(
    "text", ["? [a]\n: b\n", "a: &x 1\n", "- \n", "\ufeffversion: obs/v1\n", "version: !!str obs/v1\n"]
)
def test_yaml_that_nobody_expects_is_read_or_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ObsError):
        load([path])
