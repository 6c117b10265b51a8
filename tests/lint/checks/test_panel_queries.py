"""The checks of PromQL judge the queries of panels too, with Grafana's variables in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from obs.lint import run
from obs.lint.promql.parse import parse

METRIC = "http_server_request_duration_seconds"


@pytest.mark.parametrize(
    "text",
    [
        "rate(x[$__rate_interval])",
        "rate(x[${__interval}:${step}])",
        "x offset $shift",
        "sum by ($by) (x)",
        "sum by (a, ${by}) (rate(x[5m])) > $limit",
        "topk($n, x)",
        "clamp_max(x, $most)",
        "histogram_quantile($q, sum by (le) (rate(x_bucket[[[window]]])))",
        "$metric{a='$b'}",
        "rate($metric[5m])",
        "x{a=~'${b:regex}'} / on ($c) y",
        "[[metric]] * 60",
    ],
)
def test_variables_stand_where_durations_names_numbers_and_labels_stand(text: str) -> None:
    assert parse(text).error == ""


def _found(folder: Path, expr: str, **target: Any) -> list[tuple[str, str]]:
    data = {
        "title": "T", "uid": "t",
        "templating": {"list": [{"name": name, "type": "textbox"} for name in ("q", "by", "env")]},
        "panels": [{"id": 1, "type": "stat", "title": "P", "targets": [{"refId": "A", "expr": expr, **target}]}],
    }  # fmt: skip
    text = json.dumps(data, indent=1)
    (folder / "d.json").write_text(text, encoding="utf-8")
    report = run.lint([folder], contracts=[Path("bundled")])
    lines = text.split("\n")
    return [
        (one.check, lines[one.place.line - 1][one.place.column - 1 :][: one.length])
        for one in report.problems
        if one.check
        in {"unknown-metric", "unknown-label", "broken-promql", "rate-of-gauge", "quantile-without-le"}
    ]


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        (f"sum(rate({METRIC}_count[$__rate_interval]))", []),
        (f"sum(rate({METRIC}_cuont[$__rate_interval]))", [("unknown-metric", f"{METRIC}_cuont")]),
        (f'sum(rate({METRIC}_count{{http_rout=~"$env"}}[$__rate_interval]))', [("unknown-label", "http_rout")]),
        (f"sum by (http_rout) (rate({METRIC}_count[$__rate_interval]))", [("unknown-label", "http_rout")]),
        (f"sum by ($by) (rate({METRIC}_count[$__rate_interval]))", []),
        (f"histogram_quantile($q, sum by (le) (rate({METRIC}_bukcet[5m])))", [("unknown-metric", f"{METRIC}_bukcet")]),
        (f"histogram_quantile($q, sum(rate({METRIC}_bucket[5m])))", [("quantile-without-le", "sum")]),
        ("sum(up", [("broken-promql", '"sum(up"')]),
    ],
)  # fmt: skip
def test_a_fault_in_a_panel_is_found_where_it_stands(
    tmp_path: Path, expr: str, found: list[tuple[str, str]]
) -> None:
    assert _found(tmp_path, expr) == found
