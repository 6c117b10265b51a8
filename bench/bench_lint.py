"""What it costs to lint 10,000 rules and 20,000 queries, beside nothing but parsing the same texts."""

from __future__ import annotations

import gc
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import measure
from bench.table import Table, at_most, beside

MODULE = "bench.bench_lint"
ROUNDS = 5
#: How many times the bare parse a whole run may take.
PROMISED = 3.0
RULES, PER_FILE = 10_000, 50
DASHBOARDS, PANELS = 1_000, 20


def expression(number: int, window: str = "5m") -> str:
    """Return a query as long as generated ones are, another one for each number."""
    select = f'service="shop{number}"'
    metric = "http_server_request_duration_seconds_count"
    bad = f'{metric}{{{select}, http_response_status_code=~"5.."}}[{window}]'
    return (
        f"sum by (service, environment) (rate({bad})) / "
        f"(sum by (service, environment) (rate({metric}{{{select}}}[{window}])) > 0) > 0.05"
    )


def _rule(number: int) -> str:
    return f"""\
      - alert: HttpErrorRatioHigh{number}
        expr: {expression(number)}
        for: 5m
        labels:
          category: http
          environment: all
          service: shop{number}
          severity: page
          team: shop
        annotations:
          dashboard_url: "https://grafana.example.com/d/obs-shop{number}?var-environment={{{{ $labels.environment }}}}"
          description: "Of the requests of {{{{ $labels.service }}}} too many fail. Users see errors."
          runbook_url: "https://runbooks.example.com/shop{number}/HttpErrorRatioHigh"
          summary: "{{{{ $value | humanizePercentage }}}} of the requests fail"
"""


def _panel(number: int) -> dict[str, object]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "id": number % PANELS + 1,
        "type": "timeseries",
        "title": f"Errors {number}",
        "description": "Share of requests that fail.",
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": "percentunit"}, "overrides": []},
        "gridPos": {"x": number % 2 * 12, "y": number % PANELS // 2 * 8, "w": 12, "h": 8},
        "targets": [
            {"refId": "A", "datasource": source, "expr": expression(RULES + number, "$__rate_interval")}
        ],
    }


def write(folder: Path) -> None:
    """Write the rules and dashboards."""
    for first in range(0, RULES, PER_FILE):
        text = "".join(_rule(number) for number in range(first, first + PER_FILE))
        (folder / f"rules{first}.yml").write_text(
            f"groups:\n  - name: group{first}\n    rules:\n{text}", encoding="utf-8"
        )
    variable = {"name": "datasource", "type": "datasource", "query": "prometheus"}
    for dashboard in range(DASHBOARDS):
        data = {
            "title": f"Dashboard {dashboard}",
            "uid": f"bench-{dashboard}",
            "schemaVersion": 41,
            "templating": {"list": [variable]},
            "panels": [_panel(dashboard * PANELS + panel) for panel in range(PANELS)],
        }
        (folder / f"dashboard{dashboard}.json").write_text(json.dumps(data, indent=2), encoding="utf-8")
    # Ten thousand findings would be measured instead of the checks.
    (folder / "obs-lint.yml").write_text("severity: {alert-without-test: off}\n", encoding="utf-8")


def texts() -> Iterator[str]:
    """Yield every query."""
    return (expression(number) for number in range(RULES + DASHBOARDS * PANELS))


def parse() -> float:
    """Return the seconds of parsing every query, and nothing else."""
    import promql_parser

    all_of_them = list(texts())
    began = time.process_time()
    for text in all_of_them:
        promql_parser.parse(text)
    return time.process_time() - began


def lint(folder: Path) -> tuple[float, int]:
    """Return the seconds of linting everything, and how many problems there are."""
    from obs.lint import run

    gc.disable()  # as the command does
    began = time.process_time()
    report = run.lint([folder], contracts=[Path("bundled")], config=folder / "obs-lint.yml")
    return time.process_time() - began, len(report.problems)


def table(quick: bool) -> Table:
    """Measure linting."""
    found = []
    for _ in range(1 if quick else ROUNDS):
        one = {name: measure.fresh(MODULE, name) for name in CANDIDATES}
        found.append({"parse": one["parse"][0], "lint": one["lint"][0], "problems": one["lint"][1]})
    middle = measure.medians(found)
    of = "bare parse"
    rows = [
        beside(f"parse {RULES + DASHBOARDS * PANELS:,} queries", f"{middle['parse']:.2f} s", 1.0, of),
        at_most(
            f"obs lint, {RULES:,} rules and {DASHBOARDS * PANELS:,} queries of dashboards",
            f"{middle['lint']:.2f} s, {middle['problems']:.0f} problems",
            measure.ratio(found, "lint", "parse"),
            PROMISED,
            of,
        ),
    ]
    return Table("Linting", "processor time, files read and every check run, offline with a contract", rows)


def _parse(_: bool) -> list[float]:
    return [parse()]


def _lint(_: bool) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return list(lint(Path(folder)))


CANDIDATES = {"parse": _parse, "lint": _lint}

if __name__ == "__main__":
    measure.main(MODULE, table, CANDIDATES)
