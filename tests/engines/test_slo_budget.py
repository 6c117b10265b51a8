"""What a real Prometheus makes of eight days of raw counters with the rules of an SLO, against the raw events."""

from __future__ import annotations

import bisect
import json
import random
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from tests.engines import blocks

from obs.generate import pipeline
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

SCRAPE, DAY = 30, 86_400
SPEC = """\
version: obs/v1
service: {name: shop, team: us}
capabilities: [http]
slos:
  routes:
    objective: 99.9
    window: 7d
    by: [http.route]
    sli: {ratio: {total: http.server.requests, bad: {http.response.status_code: [5xx, 429]}}}
    exclude: {http.route: [/health]}
"""
BAD_STATUS = ("500", "429")
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Server:
    """A Prometheus over a directory of blocks."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, expression: str, at: float) -> list[tuple[Mapping[str, str], float]]:
        """Return the result vector of an instant query."""
        query = urllib.parse.urlencode({"query": expression, "time": at})
        with _direct.open(f"{self.url}/api/v1/query?{query}", timeout=60) as answer:
            found = json.load(answer)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def one(self, expression: str, at: float) -> float:
        """Return the only value of an instant query."""
        ((_, value),) = self.ask(expression, at)
        return value


@pytest.fixture(scope="module")
def events() -> dict[tuple[str, str, str], list[int]]:
    """Return the raw events: (instance, route, status) -> sorted times, in seconds since the start."""
    dice = random.Random(7)
    found: dict[tuple[str, str, str], list[int]] = {}
    for instance in ("one", "two"):
        for route, good, bad in (("/pay", 20_000, 700), ("/cart", 5_000, 600), ("/health", 4_000, 4_000)):
            centre = dice.uniform(4.3 * DAY, 4.9 * DAY)  # no window begins or ends in it
            for status, count in (("200", good), *((status, bad) for status in BAD_STATUS)):
                # Half of the failures come in one bad hour.
                times = [
                    int(
                        centre + dice.uniform(0, 3600)
                        if status != "200" and number % 2
                        else dice.uniform(200, 8 * DAY)
                    )
                    for number in range(count)
                ]
                found[instance, route, status] = sorted(times)
    return found


@pytest.fixture(scope="module")
def backfilled(
    installed: Callable[[str], dict[str, Engine]],
    events: dict[tuple[str, str, str], list[int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path, int]:
    """Write raw samples and what the rules record of them; return program, data and the start of time."""
    engines, home = installed("go"), tmp_path_factory.mktemp("budget")
    promtool, data = str(engines["promtool"].path), home / "data"
    # Whole spans, so that the instants at which rules are evaluated are known; yesterday is compacted already.
    start = (int(time.time()) - 9 * DAY) // 240 * 240
    raw = home / "raw.om"
    raw.write_text(_openmetrics(events, start), encoding="utf-8")
    # One block for all: with the default of two hours each, the file is read a hundred times.
    create = (promtool, "tsdb", "create-blocks-from", "--max-block-duration=240h", "--quiet")
    _run(*create, "openmetrics", raw, data)
    spec = home / "spec.yml"
    spec.write_text(SPEC, encoding="utf-8")
    pipeline.write(pipeline.plan([spec]), home)
    rules = home / "alerts" / "prometheus"
    for stem, wanted in (("shop-slo-routes", "increase1m"), ("shop-slo-routes-slow", "increase4m")):
        part = home / f"{wanted}.yml"
        part.write_text(_only(rules / f"{stem}.yml", wanted), encoding="utf-8")
        with blocks.serve(engines["prometheus"].path, data) as url:
            _run(
                *create, "rules", f"--url={url}", f"--start={start}",
                f"--end={start + 8 * DAY}", f"--output-dir={data}", part,
            )  # fmt: skip
    return engines["prometheus"].path, home, start


def _run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def _openmetrics(events: dict[tuple[str, str, str], list[int]], start: int) -> str:
    """Write scrapes of counters that each begin with their first event; instance two is restarted in the middle."""
    restart = 3 * DAY // SCRAPE * SCRAPE
    lines = []
    for (instance, route, status), times in sorted(events.items()):
        labels = (
            f'environment="prod",http_response_status_code="{status}",http_route="{route}",'
            f'instance="{instance}",service="shop"'
        )
        before = 0
        for at in range(0, 8 * DAY + 1, SCRAPE):
            if instance == "two" and at == restart + SCRAPE:
                before = bisect.bisect_right(times, restart)
            count = bisect.bisect_right(times, at) - before
            if count:
                lines.append(f"http_server_request_duration_seconds_count{{{labels}}} {count} {start + at}")
    up = [
        f'up{{environment="prod",instance="{instance}",service="shop"}} 1 {start + at}'
        for instance in ("one", "two")
        for at in range(0, 8 * DAY + 1, SCRAPE)
    ]
    return "\n".join((*lines, *up, "# EOF\n"))


def _only(file: Path, wanted: str) -> str:
    """Return the rule file with nothing but the records of that name."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for group in document["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule.get("record", "").endswith(wanted)]
    document["groups"] = [group for group in document["groups"] if group["rules"]]
    return yaml.safe_dump(document)


def _happened(
    events: dict[tuple[str, str, str], list[int]], route: str, statuses: Sequence[str], span: tuple[int, int]
) -> int:
    return sum(
        bisect.bisect_right(times, span[1]) - bisect.bisect_right(times, span[0])
        for (_, of, status), times in events.items()
        if of == route and status in statuses
    )


def test_recorded_figures_agree_with_the_raw_events(
    backfilled: tuple[Path, Path, int], events: dict[tuple[str, str, str], list[int]]
) -> None:
    program, home, start = backfilled
    rules = {
        rule["record"]: rule["expr"]
        for file in (home / "alerts" / "prometheus").glob("shop-slo-*.yml")
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    end, after_outage = 8 * DAY, 5 * DAY + 4 * 3600

    with blocks.serve(program, home / "data") as url:
        server = Server(url)
        every, bad = (f"slo:sli_{kind}:increase7d" for kind in ("events", "bad_events"))
        assert {labels["http_route"] for labels, _ in server.ask(rules[every], start + end)} == {
            "/pay",
            "/cart",
        }
        for route in ("/pay", "/cart"):
            here = f'http_route="{route}"'
            span = (end - 7 * DAY, end)
            true_bad = _happened(events, route, BAD_STATUS, span)
            true_every = true_bad + _happened(events, route, ["200"], span)
            assert true_bad > 1_000
            seen_bad, seen_every = (
                server.one(f"max without () (({rules[name]}) and on (http_route) label_replace(vector(1), "
                           f'"http_route", "{route}", "", ""))', start + end)
                for name in (bad, every)
            )  # fmt: skip
            assert seen_bad == pytest.approx(true_bad, rel=0.01)
            assert seen_bad / seen_every == pytest.approx(true_bad / true_every, rel=0.01)
            # What is left of the budget, as the rules reckon it from the ratio.
            left, truth = 1 - seen_bad / seen_every / 0.001, 1 - true_bad / true_every / 0.001
            assert left == pytest.approx(truth, rel=0.01)
            for window, seconds, at in (("6h", 21_600, end), ("1d", DAY, after_outage), ("3d", 3 * DAY, end)):
                span = (at - seconds, at)
                true_bad = _happened(events, route, BAD_STATUS, span)
                true_every = true_bad + _happened(events, route, ["200"], span)
                ratio = {
                    labels["http_route"]: value
                    for labels, value in server.ask(rules[f"slo:sli_error:ratio_rate{window}"], start + at)
                }[route]
                if true_bad > 1_000:
                    assert ratio == pytest.approx(true_bad / true_every, rel=0.01), (window, here)
                else:
                    assert ratio == pytest.approx(true_bad / true_every, abs=0.02), (window, here)
