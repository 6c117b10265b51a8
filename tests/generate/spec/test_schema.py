"""The schema for editors says what the readers say, as far as a schema can."""

from __future__ import annotations

import copy
import functools
import json
import operator
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from obs.errors import ObsError
from obs.generate.derive import rules
from obs.generate.model import CAPABILITIES
from obs.generate.model.place import DURATION
from obs.generate.spec import document, schema, service, shape, slis
from obs.generate.spec import routing as notify
from obs.generate.spec.shape.kinds import Either, Items, Key, Kind, Section, Table
from obs.generate.spec.shape.objectives import SLI
from obs.generate.spec.shape.routing import RECEIVER

ROOT = Path(__file__).parents[3]
SPECS = sorted(
    path
    for folder in ("specs", "tests/golden")
    for path in (ROOT / folder).rglob("*.yml")
    if not any(part.startswith("expected") for part in path.parts)
)
FORM = schema.derive(sorted(rules.alert_names()))
WHOLE = jsonschema.Draft202012Validator(FORM)
PARTIAL = jsonschema.Draft202012Validator(schema.derive(sorted(rules.alert_names()), partial=True))
RUNBOOK = "".join(f"## {part}\n\nText.\n\n" for part in ("Meaning", "Impact", "Diagnosis", "Mitigation"))
#: Every key of every section, with a value that is good.
FULL = """\
version: obs/v1
service: {name: shop, team: us, tier: critical}
owners: {chat: "#shop", email: shop@example.com, rota: "https://rota.example", escalation: [the manager]}
dialect: classic
capabilities: [http, jobs]
telemetry: {path: scrape, interval: 15s, query_offset: 30s, select: {region: eu}}
mapping:
  job.runs:
    metric: cron_total
    labels: {job.name: {label: task, values: {a: [b, c]}}}
    match: {kind: cron}
    bad: {metric: cron_failed_total, when: {result: failure}}
  http.server.duration: {metric: latency_ms, unit: ms, buckets: [10, 100], labels: {http.route: path}}
slos:
  speed:
    objective: 99.5
    window: 7d
    by: [http.route]
    max_groups: 9
    min_bad_events: 3
    exclude: {http.route: /healthz}
    sli: {latency: {signal: http.server.duration, under: 100ms, buckets: classic}}
  runs: {objective: 95, sli: {ratio: {total: job.runs, bad: {result: failure}}}}
  fresh:
    objective: 95
    sli: {freshness: {signal: job.last_success, under: 1h, where: {job.name: [nightly]}}}
  own:
    objective: 95
    sli:
      custom:
        total: sum by (service, environment) (increase(x_total[{{window}}]))
        bad: sum by (service, environment) (increase(x_total{ok="no"}[{{window}}]))
        series: {good: 'x_total{ok="yes"}', bad: ['x_total{ok="no"}']}
alerts:
  JobFailureRatioHigh: {threshold: 0.2, window: 2h, for: 1m, severity: page}
  JobNotRunning: {disabled: moved, until: 2030-01-01}
custom_alerts:
  CronBusy:
    expr: sum by (service) (rate(cron_total[10m])) > 5
    for: 5m
    keep_firing_for: 5m
    severity: ticket
    category: cron
    summary: busy
    description: very busy
    labels: {part: cron}
    unit: short
    disabled: for now
    tests:
      - {name: many, interval: 1m, series: {cron_total: 0+600x30}, silent_at: [0m], pending_at: 6m, fires_at: 20m, count: 1}
    runbook: ./CronBusy.md
jobs:
  nightly: {schedule: 24h, grace: 1h}
downtime:
  weekly: {days: [sunday], from: "02:00", to: "03:00", reason: backup}
  move: {dates: [2026-12-01], from: "02:00", to: "24:00", reason: new racks}
dashboard:
  rows:
    - title: Mine
      panels:
        - {title: Runs, description: Runs., unit: short, expr: sum (cron_total), legend: all}
        - {title: More, description: More., unit: short, queries: [{expr: sum (cron_total), legend: all}]}
notify:
  page: pagerduty-shop
  ticket: email-shop
  none: webhook-shop
  heartbeat: webhook-beat
  hours: {days: [monday:friday], from: "09:00", to: "17:00", zone: Europe/Berlin}
  tiers: {critical: {page: pagerduty-now, ticket: slack-shop, none: webhook-shop}}
  receivers:
    email-shop: {to: a@example.com, from: b@example.com, smarthost: "mail.example:587", username: us}
    slack-shop: {channel: shop}
    webhook-beat: {url: "https://beat.example"}
  alertmanager: "0.28"
  secrets: /etc/secrets
grouping: {wait: 10s, interval: 5m, repeat: 4h}
links:
  runbooks: https://a.example
  grafana: https://a.example
  prometheus: https://a.example
  alertmanager: https://a.example
  webhook: https://a.example
  logs: loki
  traces: tempo
kubernetes:
  {namespace: shop, labels: {a: b}, selector: {a: b}, targets: [shop], port: web, path: /metrics, dashboards: {a: b}}
environments:
  dev:
    select: {environment: dev}
    severity: {page: ticket}
    interval: 30s
    slos: {speed: {objective: 95}}
    telemetry: {interval: 30s}
    alerts: {JobNotRunning: {for: 1h}}
"""
#: Asked of two keys at once, or of the contract: for the readers alone.
BEYOND = (
    "mapping.http.server.duration.buckets",
    "mapping.http.server.duration.unit",
    "mapping.http.server.duration.labels",
    "mapping.http.server.duration.labels.http.route",
    "mapping.http.server.duration",
    "mapping.job.runs.bad",
    "mapping",
    "slos.speed",
    "jobs.nightly",
    "custom_alerts.CronBusy.for",
    "notify.receivers.email-shop",
    "mapping.http.server.duration.buckets.1",
    "custom_alerts.CronBusy.tests.0.silent_at",
    "custom_alerts.CronBusy.tests.0.pending_at",
    "custom_alerts.CronBusy.tests.0.fires_at",
    "environments",
    "environments.dev",
)


class _Editor(yaml.SafeLoader):
    """YAML 1.2, as editors read it: no dates, and no times in base 60."""


_Editor.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(r"[-+]?\d+\Z") if tag.endswith(":int") else pattern)
        for tag, pattern in found
        if not tag.endswith(":timestamp")
    ]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _load(text: str) -> Any:
    return yaml.load(text, Loader=_Editor)  # noqa: S506 - a SafeLoader


def _refusal(spec: Any, directory: Path, part: str = "") -> str | None:
    """Return what the readers say against a spec; None when they read it. `part` is what was changed of it."""
    if not (directory / "CronBusy.md").exists():
        (directory / "CronBusy.md").write_text(RUNBOOK, encoding="utf-8")
    if part not in {"", "mapping", "slos", "environments"}:
        # A contract that is narrowed anew for each of so many specs takes most of the time.
        spec = {key: value for key, value in spec.items() if key not in {"mapping", "slos", "environments"}}
    root = document.parse(json.dumps(spec), str(directory / "spec.yml"))
    try:
        service.read(root, "dev" if part == "environments" else None, {})
    except ObsError as error:
        return str(error)
    return None


def _paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above] * bool(above) + [path for key, inner in items for path in _paths(inner, (*above, key))]


GOOD = _load(FULL)
PATHS = _paths(GOOD)
NAMES = [".".join(map(str, path)) for path in PATHS]


def _changed(path: tuple[Any, ...], change: Any) -> Any:
    spec = copy.deepcopy(GOOD)
    node = spec
    for key in path[:-1]:
        node = node[key]
    change(node, path[-1])
    return spec


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_committed_spec_is_good(path: Path) -> None:
    checker = PARTIAL if path.name == "defaults.yml" else WHOLE

    assert [error.message for error in checker.iter_errors(_load(path.read_text(encoding="utf-8")))] == []


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(WHOLE.schema)
    jsonschema.Draft202012Validator.check_schema(PARTIAL.schema)


def test_the_full_spec_is_good_for_both(tmp_path: Path) -> None:
    assert [error.message for error in WHOLE.iter_errors(_load(FULL))] == []
    assert _refusal(_load(FULL), tmp_path) is None


def _keys(kind: Kind, value: Any, above: str) -> list[str]:
    """Return the keys of a shape that a value does not show."""
    if isinstance(kind, Section) and isinstance(value, list):
        return _of_all(kind, value, above)
    if isinstance(kind, Section) and isinstance(value, dict):
        return [
            lacking
            for key in kind.keys
            for lacking in (
                [f"{above}.{key.name}"]
                if key.name not in value
                else _keys(key.of, value[key.name], f"{above}.{key.name}")
            )
        ]
    if isinstance(kind, Table) and isinstance(value, dict):
        return _of_all(kind.of, list(value.values()), f"{above}.*")
    if isinstance(kind, Items) and isinstance(value, list):
        return _of_all(kind.of, value, f"{above}[]")
    if isinstance(kind, Either):
        return [one for part in kind.of for one in _keys(part, value, above)]
    return []


def _of_all(kind: Kind, values: list[Any], above: str) -> list[str]:
    found = [set(_keys(kind, value, above)) for value in values]
    return sorted(set.intersection(*found)) if found else []


def test_the_full_spec_shows_every_key() -> None:
    lacking = [
        name
        for name in _keys(shape.SPEC, _load(FULL), "")
        if not name.startswith(".environments.*.")
        and name not in {".extends", ".contract", ".slos.*.sli.custom.series"}
    ]

    assert lacking == []


def _drop(node: Any, key: Any) -> None:
    del node[key]


def test_a_key_that_one_of_them_requires_the_other_requires_too(tmp_path: Path) -> None:
    odd = []
    for path, name in zip(PATHS, NAMES, strict=True):
        spec = _changed(path, _drop)
        if name not in BEYOND and WHOLE.is_valid(spec) is not (_refusal(spec, tmp_path, path[0]) is None):
            odd.append(name)

    assert odd == []


def _burden(node: Any, key: Any) -> None:
    if isinstance(node[key], dict):
        node[key]["unheard of"] = {"x": [["y"]]}
    else:
        node[key] = {"x": {"y": "z"}}


def test_an_unknown_key_is_refused_by_both_in_every_section(tmp_path: Path) -> None:
    odd = []
    for path, name in zip(PATHS, NAMES, strict=True):
        # What is refused beneath a key of the author's own choice is refused beneath every such key.
        spec = _changed(path, _burden)
        if WHOLE.is_valid(spec) or _refusal(spec, tmp_path, path[0]) is None:
            odd.append(name)

    assert odd == []


@pytest.mark.parametrize("junk", [[[["x"]]], None, ""], ids=["list", "null", "empty"])
def test_no_value_may_be_of_another_kind(junk: Any) -> None:
    def put(node: Any, key: Any) -> None:
        node[key] = junk

    # A label of Kubernetes may be empty.
    valid = [name for path, name in zip(PATHS, NAMES, strict=True) if WHOLE.is_valid(_changed(path, put))]

    assert [name for name in valid if not name.startswith("kubernetes.") or junk != ""] == []


def test_a_duration_of_nothing_is_refused_by_both_or_by_neither(tmp_path: Path) -> None:
    def nothing(node: Any, key: Any) -> None:
        node[key] = "0s"

    refused, odd = [], []
    for path, name in zip(PATHS, NAMES, strict=True):
        if name in BEYOND or not isinstance(value := functools.reduce(operator.getitem, path, GOOD), str):
            continue
        if DURATION.match(value):
            spec = _changed(path, nothing)
            good = WHOLE.is_valid(spec)
            refused += [] if good else [name]
            odd += [] if good is (_refusal(spec, tmp_path, path[0]) is None) else [name]

    assert odd == []
    assert "telemetry.interval" in refused
    assert "alerts.JobFailureRatioHigh.for" not in refused


def _sections(kind: Kind) -> list[Section]:
    if isinstance(kind, Section):
        return [kind, *(one for key in kind.keys for one in _sections(key.of))]
    if isinstance(kind, Table | Items):
        return _sections(kind.of)
    return [one for part in kind.of for one in _sections(part)] if isinstance(kind, Either) else []


def _all_keys() -> list[Key]:
    return [key for section in _sections(shape.SPEC) for key in section.keys]


def test_the_tables_that_readers_keep_apart_have_the_keys_of_the_shape() -> None:
    assert SLI.names == tuple(slis._KINDS)
    assert set(RECEIVER.names) == {name for names in notify._SETTINGS.values() for name in names}


def test_every_capability_and_alert_can_be_completed() -> None:
    assert FORM["properties"]["capabilities"]["items"]["enum"] == list(CAPABILITIES)
    assert FORM["$defs"]["alert"]["enum"] == sorted(rules.alert_names())


@pytest.mark.parametrize("key", _all_keys(), ids=lambda key: key.name)
def test_every_key_says_what_it_is_for(key: Key) -> None:
    assert key.help.endswith(".")


def test_a_file_that_extends_another_may_leave_the_rest_to_it() -> None:
    spec = {"version": "obs/v1", "extends": "./defaults.yml", "service": {"name": "shop"}}

    assert WHOLE.is_valid(spec)
    assert not WHOLE.is_valid({key: value for key, value in spec.items() if key != "extends"})
    assert PARTIAL.is_valid({"version": "obs/v1", "service": {"team": "us"}})
