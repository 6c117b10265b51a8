"""Twelve hours of raw series in a real Prometheus: what a backtest says, against what real rule engines do.

promtool's own manager evaluates the alerts on the same series from their first sample on, and the server
evaluates each level of the recording rules of an SLO before the alerts above them are asked for.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engines import blocks

from obs.cli.main import run
from obs.generate import pipeline
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

STEP, HOUR, DAY = 15, 3600, 86_400
LENGTH = 12 * HOUR
#: Seconds that rules look into the past where the server knows that; no multiple of an evaluation.
OFFSET = 35
SPEC = """\
version: obs/v1
service: {name: shop, team: us}
capabilities: [http]
owners: {chat: "#us", escalation: [the duty manager]}
slos:
  checkout:
    objective: 99
    window: 30d
    sli: {ratio: {total: http.server.requests, bad: {http.response.status_code: [5xx]}}}
custom_alerts:
  Busy:
    expr: sum by (service, instance) (http_server_active_requests) > 50
    for: 1m
    keep_firing_for: 3m
    severity: ticket
    summary: "{{ $labels.instance }} is busy"
    tests:
      - name: seventy requests at once
        series: {'http_server_active_requests{instance="one"}': 0x20 70x60}
        silent_at: 3m
        fires_at: 15m
    runbook: ./Busy.md
"""
RUNBOOK = """\
## Meaning

Too much at once.

## Impact

People wait.

## Diagnosis

1. Who sends so much?

## Mitigation

1. Add an instance. It takes a minute.
"""
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _series() -> dict[str, list[float | None]]:
    """Return every raw series: a selector and its samples, one every `STEP` seconds."""
    dice, count = random.Random(11), LENGTH // STEP
    found: dict[str, list[float | None]] = {}
    for instance in ("one", "two"):
        labels = f'environment="prod",instance="{instance}",service="shop"'
        good: list[float | None] = []
        bad: list[float | None] = []
        up: list[float | None] = []
        busy: list[float | None] = []
        all_good, all_bad, load = 0, 0, 40.0
        for number in range(count):
            hour = number * STEP / HOUR
            # A bad half hour, a short stumble, and a drip that only a long window sees.
            share = 0.4 if 3 <= hour < 3.5 else 0.3 if 7 <= hour < 7.05 else 0.02 if 8 <= hour < 10 else 0.0
            for _ in range(60):
                failed = dice.random() < share
                all_bad, all_good = all_bad + failed, all_good + (not failed)
            down = instance == "two" and 10.5 <= hour < 10.75
            load = min(80.0, max(20.0, load + dice.uniform(-12, 12)))
            good.append(None if down else float(all_good))
            bad.append(None if down or not all_bad else float(all_bad))
            up.append(0.0 if down else 1.0)
            busy.append(None if down else round(load) if hour < 11.5 else 1.0)
        counter = "http_server_request_duration_seconds_count"
        found[f'{counter}{{{labels},http_response_status_code="200",http_route="/pay"}}'] = good
        found[f'{counter}{{{labels},http_response_status_code="500",http_route="/pay"}}'] = bad
        found[f"up{{{labels}}}"] = up
        found[f"http_server_active_requests{{{labels}}}"] = busy
    return found


@dataclass(frozen=True)
class Past:
    """A server's blocks, the rules, and when all of it was."""

    program: Path
    promtool: str
    home: Path
    start: int
    offset: int = 0

    @property
    def end(self) -> int:
        return self.start + LENGTH

    def rules(self, stem: str) -> list[dict[str, Any]]:
        path = self.home / "alerts" / "prometheus" / f"{stem}.yml"
        return list(yaml.safe_load(path.read_text(encoding="utf-8"))["groups"])

    def remember(self, lines: Sequence[str]) -> None:
        """Write samples into blocks; a server that starts afterwards has them."""
        raw = self.home / "raw.om"
        raw.write_text("\n".join((*lines, "# EOF\n")), encoding="utf-8")
        _do(
            self.promtool, "tsdb", "create-blocks-from", "--max-block-duration=240h", "--quiet",
            "openmetrics", raw, self.home / "data",
        )  # fmt: skip

    def serve(self) -> AbstractContextManager[str]:
        return blocks.serve(self.program, self.home / "data")

    def backtest(self, url: str, *options: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
        until = datetime.fromtimestamp(self.end, timezone.utc).isoformat()
        words = ["backtest", str(self.home / "spec.yml"), "--url", url, "--until", until, "--rate", "1000"]
        capsys.readouterr()
        code = run([*words, "--since", "12h", "--format", "json", *options])
        return code, json.loads(capsys.readouterr().out)


def _do(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def _range(url: str, query: str, start: int, end: int, step: int) -> list[dict[str, Any]]:
    form = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step})
    with _direct.open(f"{url}/api/v1/query_range", data=form.encode(), timeout=60) as answer:
        return list(json.load(answer)["data"]["result"])


def _samples(rule: dict[str, Any], found: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a recording rule makes of a result."""
    for series in found:
        named = {**series["metric"], **rule.get("labels", {})}
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(named.items()) if name != "__name__")
        yield from (f"{rule['record']}{{{labels}}} {value} {at}" for at, value in series["values"])


@pytest.fixture(scope="module", params=["go", "debian"])
def past(
    request: pytest.FixtureRequest,
    installed: Callable[[str], dict[str, Engine]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Past:
    """Write the raw series into the blocks of the newest and of the oldest server."""
    engines, home = installed(request.param), tmp_path_factory.mktemp("backtest")
    # Yesterday, at whole spans of the slowest group.
    start = (int(time.time()) - 24 * HOUR) // 240 * 240
    offset = OFFSET if request.param == "go" else 0
    found = Past(engines["prometheus"].path, str(engines["promtool"].path), home, start, offset)
    late = f"telemetry: {{query_offset: {offset}s}}\n" if offset else ""
    (home / "spec.yml").write_text(SPEC + late, encoding="utf-8")
    (home / "Busy.md").write_text(RUNBOOK, encoding="utf-8")
    pipeline.write(pipeline.plan([home / "spec.yml"]), home)
    found.remember(
        [
            f"{selector} {value:.0f} {start + number * STEP}"
            for selector, values in _series().items()
            for number, value in enumerate(values)
            if value is not None
        ]
    )
    return found


def _fired(found: Any, alert: str) -> list[tuple[dict[str, str], int, int]]:
    """Return (labels, start, end) of every firing of an alert."""
    (entry,) = [one for one in found["alerts"] if one["alert"] == alert]
    assert entry["judged"], entry["reason"]
    return [
        (one["labels"], *(round(datetime.fromisoformat(one[key]).timestamp()) for key in ("start", "end")))
        for one in entry["firings"]
    ]


def test_alerts_fire_when_promtools_rule_engine_says_so(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    with past.serve() as url:
        code, found = past.backtest(url, capsys=capsys)
    assert code == 0
    cases = []
    compared = ("Busy", "HttpErrorRatioHigh", "HttpErrorRatioElevated", "TargetDown", "JobAllTargetsDown")
    for alert in compared:
        # What looks at the time before the first sample, promtool evaluates without a past of its own.
        firings = [one for one in _fired(found, alert) if one[1] >= past.start + past.offset]
        state = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
        # As many evaluations fire as the backtest says, over all...
        evaluations = sum(end - start for _, start, end in firings) // STEP
        cases.append((f"sum(count_over_time({state}[1d]))", LENGTH, float(evaluations) or None))
        for labels, start, end in firings:
            # ... and they are the same ones.
            chosen = "".join(f',{name}="{value}"' for name, value in labels.items())
            one = f"count({state[:-1]}{chosen}}})"
            for at, fires in ((start - STEP, False), (start, True), (end - STEP, True), (end, False)):
                # The state of an alert is written where its evaluation looked.
                cases.append((one, at - past.start - past.offset, 1.0 if fires else None))
    assert len(_fired(found, "Busy")) > 5
    assert _fired(found, "HttpErrorRatioHigh")
    assert _fired(found, "TargetDown")
    assert not _fired(found, "JobAllTargetsDown")
    stems = ("shop", "shop-urgent", "shop-custom")
    groups = [group for stem in stems for group in past.rules(stem)]
    assert {group.get("query_offset", "0s") for group in groups} == {f"{past.offset}s"}
    group, rules = groups[0], [rule for group in groups for rule in group["rules"]]
    chosen_rules = [rule for rule in rules if rule["alert"] in compared]
    assert {rule["alert"] for rule in chosen_rules} == set(compared)
    (past.home / "compared.yml").write_text(
        yaml.safe_dump({"groups": [{**group, "name": "all", "interval": "15s", "rules": chosen_rules}]}),
        encoding="utf-8",
    )
    test = {
        "rule_files": ["compared.yml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [
                    {
                        "series": selector,
                        "values": " ".join("_" if one is None else f"{one:.0f}" for one in values),
                    }
                    for selector, values in _series().items()
                ],
                "promql_expr_test": [
                    {
                        "expr": expression,
                        "eval_time": f"{at}s",
                        "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
                    }
                    for expression, at, value in cases
                ],
            }
        ],
    }
    (past.home / "states.yml").write_text(yaml.safe_dump(test), encoding="utf-8")
    _do(past.promtool, "test", "rules", past.home / "states.yml")


def test_alerts_on_an_objective_fire_as_over_series_that_the_server_recorded(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    with past.serve() as url:
        code, found = past.backtest(url, capsys=capsys)
    assert code == 0
    stems = ("shop-slo-checkout", "shop-slo-checkout-slow", "shop-slo-checkout-budget")
    groups = [group for stem in stems for group in past.rules(stem)]
    records = [(group["interval"], rule) for group in groups for rule in group["rules"] if "record" in rule]
    # Each level reads the one before it.
    levels: dict[str, int] = {}
    for _, rule in records:
        below = [level for name, level in levels.items() if f"{name}{{" in rule["expr"]]
        levels.setdefault(rule["record"], max(below, default=-1) + 1)
    for level in range(max(levels.values()) + 1):
        lines: list[str] = []
        with past.serve() as url:
            for interval, rule in records:
                if levels[rule["record"]] == level:
                    seconds = {"1m": 60, "4m": 240}[interval]
                    began, ended = past.start - past.offset, past.end - past.offset
                    lines += _samples(rule, _range(url, rule["expr"], began, ended, seconds))
        past.remember(lines)
    fired = 0
    with past.serve() as url:
        for group in groups:
            step = {"15s": 15, "1m": 60, "4m": 240}[group["interval"]]
            for rule in group["rules"]:
                if "alert" not in rule or "for" in rule:
                    continue
                began, ended = past.start - past.offset, past.end - past.offset
                found_there = _range(url, rule["expr"], began, ended, step)
                there = sorted(int(at) + past.offset for one in found_there for at, _ in one["values"])
                said = sorted(
                    at for _, start, end in _fired(found, rule["alert"]) for at in range(start, end, step)
                )
                assert said == [at for at in there if at < past.end], rule["alert"]
                fired += bool(said)
    assert fired >= 2


def test_a_week_until_now_is_judged_from_what_a_server_remembers(
    installed: Callable[[str], dict[str, Engine]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engines, end = installed("go"), int(time.time()) // 60 * 60
    past = Past(engines["prometheus"].path, str(engines["promtool"].path), tmp_path, end - 9 * DAY)
    (past.home / "spec.yml").write_text(
        "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [http]\ntelemetry: {interval: 60s}\n",
        encoding="utf-8",
    )
    # Days ago, and minutes for which half of all requests failed; the first was before the week.
    incidents = {8.0: 30, 6.5: 20, 3.25: 90, 0.5: 15}
    counter = "http_server_request_duration_seconds_count"
    labels = 'environment="prod",instance="one",service="shop",http_route="/pay",http_response_status_code'
    lines: list[str] = []
    good, bad = 0, 0
    for at in range(past.start, end + 1, 60):
        fails = any(0 <= at - (end - days * DAY) < minutes * 60 for days, minutes in incidents.items())
        good, bad = good + (30 if fails else 60), bad + (30 if fails else 0)
        lines += (
            f'{counter}{{{labels}="200"}} {good} {at}',
            f'{counter}{{{labels}="500"}} {bad} {at}',
            f'up{{environment="prod",instance="one",service="shop"}} 1 {at}',
        )
    past.remember(lines)

    with past.serve() as url:
        code = run(
            ["backtest", str(past.home / "spec.yml"), "--url", url, "--since", "7d", "--format", "json"]
        )
    found = json.loads(capsys.readouterr().out)

    assert code == 0
    assert datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["since"]) == timedelta(
        days=7
    )
    fired = _fired(found, "HttpErrorRatioHigh")
    expected = [(end - days * DAY, minutes * 60) for days, minutes in incidents.items()][1:]
    assert len(fired) == len(expected)
    for (_, start, stop), (began, length) in zip(fired, expected, strict=True):
        # It needs some minutes to see enough and five to be sure, and some to see that it is over.
        assert began + 300 <= start <= began + 720
        assert began + length <= stop <= began + length + 420
    assert not _fired(found, "JobAllTargetsDown")
    entry = next(one for one in found["alerts"] if one["alert"] == "HttpErrorRatioHigh")
    assert entry["data"]["share"] >= 0.99
    assert entry["data"]["full_from"] == found["since"]
