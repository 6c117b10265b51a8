"""What the checks of PromQL say of queries at the edge of their subject."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.lint import run

_DECLARED = Path("bundled")
_BAD = 'x_total{status=~"5.."}'
#: (check, expression of an alert, whether the check finds something); no contract holds.
_CASES = [
    ("rate-not-ratio", f"rate({_BAD}[5m]) > 0.05", True),
    ("rate-not-ratio", f"0.05 < sum(rate({_BAD}[5m]))", True),
    ("rate-not-ratio", f"rate({_BAD}[5m]) > 5", False),
    ("rate-not-ratio", f"rate({_BAD}[5m]) / rate(x_total[5m]) > 0.05", False),
    ("rate-not-ratio", "rate(cpu_seconds_total[5m]) > 0.05", False),
    ("counter-born-invisible", "increase(x_total[5m]) > 0", True),
    ("counter-born-invisible", "sum by (a) (rate(x_total[5m])) > 0", True),
    ("counter-born-invisible", "increase(x_total[5m]) >= 1", True),
    ("counter-born-invisible", "increase(x_total[5m]) > 5", False),
    ("counter-born-invisible", "(increase(x_total[5m]) > 0) or (x_total unless x_total offset 5m)", False),
    ("counter-born-invisible", "y > 3 and on (a) sum by (a) (rate(x_total[5m])) > 0", False),
    ("counter-without-rate", "x_total > 5", True),
    ("counter-without-rate", "sum(x_total) / sum(y) > 5", True),
    ("counter-without-rate", "delta(x_total[5m]) > 5", True),
    ("counter-without-rate", "x_total - x_total offset 5m > 5", False),
    ("counter-without-rate", "count(x_total) > 5", False),
    ("counter-without-rate", "absent(x_total)", False),
    ("counter-without-rate", "x_total unless x_total offset 5m", False),
    ("counter-without-rate", "sum_over_time(rate(x_total[5m])[1h:5m]) > 5", False),
    ("counter-without-rate", "job:x_total:sum > 5", False),
    ("absent-cannot-work", "count(up) == 0", True),
    ("absent-cannot-work", "0 == count(up)", True),
    ("absent-cannot-work", "count(up) < 1", True),
    ("absent-cannot-work", "count(up) < 2", False),
    ("absent-cannot-work", "count(up or vector(0)) == 0", False),
    ("absent-cannot-work", "(count(up) or vector(0)) == 0", False),
    ("absent-cannot-work", "absent(up or vector(1))", True),
    ("absent-cannot-work", "absent(up) > 1", True),
    ("absent-cannot-work", "absent(up) == 1", False),
    ("match-cannot-work", "sum by (a) (x) / sum(y) > 1", True),
    ("match-cannot-work", "sum by (a) (x) / on (b) sum by (b) (y) > 1", True),
    ("match-cannot-work", "sum by (a) (x) / on () group_left () sum(y) > 1", False),
    ("match-cannot-work", "sum by (a) (x) / ignoring (a) group_left () sum(y) > 1", False),
    ("match-cannot-work", "sum by (a) (x) / scalar(sum(y)) > 1", False),
    ("match-cannot-work", "sum by (a) (x) or sum(y) > 1", False),
    ("match-cannot-work", "x / y > 1", False),
    ("threshold-impossible", f"sum(rate({_BAD}[5m])) / sum(rate(x_total[5m])) > 5", True),
    ("threshold-impossible", f"sum(rate({_BAD}[5m])) / sum(rate(x_total[5m])) > 14.4 * (1 - 0.9)", True),
    ("threshold-impossible", f"sum(rate({_BAD}[5m])) / sum(rate(x_total[5m])) > 14.4 * (1 - 0.999)", False),
    ("threshold-impossible", "slo:sli_error:ratio_rate1h > 14.4 * 0.1", True),
    ("threshold-impossible", "used / max > 1", False),
    ("floor-on-total", f"rate({_BAD}[5m]) / (rate(x_total[5m]) > 1) > 0.05", True),
    ("floor-on-total", f"rate({_BAD}[5m]) / (rate(x_total[5m]) > 0) > 0.05", False),
    ("floor-on-total", f"rate({_BAD}[5m]) / rate(x_total[5m]) > 0.05 and rate({_BAD}[5m]) > 1", False),
    ("decrease-goes-silent", "rate(x_total[5m]) < 0.5 * rate(x_total[5m] offset 1d)", True),
    ("decrease-goes-silent", "0.5 * rate(x_total[5m] offset 1d) > rate(x_total[5m])", True),
    ("decrease-goes-silent", "rate(x_total[5m]) > 5 * rate(x_total[5m] offset 1d)", False),
    ("decrease-goes-silent", "sum(up) == 0", True),
    ("decrease-goes-silent", "sum(up) == 0 or absent(up)", False),
    ("decrease-goes-silent", "up == 0 unless on (job) (sum by (job) (up) == 0)", False),
    ("rate-window-too-short", "rate(x_total[20s]) > 1", True),
    ("rate-window-too-short", "rate(x_total[1m]) > 1", False),
    ("regexp-on-name", '{__name__=~"x.*"} > 1', True),
    ("regexp-on-name", '{__name__="x"} > 1', False),
    ("rate-of-gauge", "rate(memory_usage_ratio[5m]) > 1", True),
    ("rate-of-gauge", "rate(requests[5m]) > 1", False),
    ("quantile-without-le", "histogram_quantile(0.9, sum(rate(x_bucket[5m]))) > 1", True),
    ("quantile-without-le", "histogram_quantile(0.9, sum without (a) (rate(x_bucket[5m]))) > 1", False),
    ("quantile-without-le", "histogram_quantile(0.9, sum(rate(native[5m]))) > 1", False),
    ("high-cardinality-label", "sum by (user_id) (rate(x_total[5m])) > 1", True),
    ("alert-without-comparison", "x", True),
    ("alert-without-comparison", "vector(1)", False),
    ("alert-without-for", "increase(x_total[5m]) > 0", False),
    ("alert-without-for", "sum(changes(x[15m])) > 2", False),
    ("alert-without-for", "rate(x_total[15m]) > 2", True),
    ("decrease-goes-silent", "sum(up) == 0 or 0 * (last_over_time(up[1h]) unless up)", False),
    ("alert-without-for", "e:ratio_rate5m > 0.1 and e:ratio_rate1h > 0.1", False),
    ("alert-without-for", "e:ratio_rate5m > 0.1", True),
]  # fmt: skip


def _found(directory: Path, expr: str, contracts: list[Path]) -> set[str]:
    rules = directory / "rules.yml"
    indented = expr.replace("\n", "\n          ")
    rules.write_text(
        "groups:\n  - name: shop\n    rules:\n      - alert: Trouble\n        expr: |-\n"
        f'          {indented}\n        annotations: {{summary: "more than 5%"}}\n',
        encoding="utf-8",
    )
    return {problem.check for problem in run.lint([rules], contracts=contracts).problems}


@pytest.mark.parametrize(("check", "expr", "found"), _CASES)
def test_a_query_is_judged_as_it_deserves(check: str, expr: str, found: bool, tmp_path: Path) -> None:
    checks = _found(tmp_path, expr, [])

    assert "broken-promql" not in checks
    assert (check in checks) == found


_COUNT = "http_server_request_duration_seconds_count"
_BUCKET = "http_server_request_duration_seconds_bucket"


@pytest.mark.parametrize(
    ("check", "expr"),
    [
        ("unknown-metric", "htp_server_active_requests > 1"),
        ("unknown-label", f'rate({_COUNT}{{http_rout="/"}}[5m]) > 1'),
        ("unknown-label", f"sum by (http_rout) (rate({_COUNT}[5m])) > 1"),
        ("counter-without-rate", f"{_COUNT} > 1"),
        ("rate-of-gauge", "rate(up[5m]) > 1"),
        ("unknown-bucket", f'rate({_BUCKET}{{le="0.3"}}[5m]) > 1'),
        ("unknown-bucket", f'rate({_BUCKET}{{le=~"0.3|0.30"}}[5m]) > 1'),
        ("quantile-threshold-unreachable", f"histogram_quantile(0.9, rate({_BUCKET}[5m])) > 10"),
        ("match-cannot-work", f"rate({_COUNT}[5m]) / up > 1"),
    ],
)
def test_a_contract_tells_what_names_cannot(check: str, expr: str, tmp_path: Path) -> None:
    assert check not in _found(tmp_path, expr, [])
    assert check in _found(tmp_path, expr, [_DECLARED])


@pytest.mark.parametrize(
    "expr",
    [
        f'sum by (http_route) (rate({_COUNT}{{http_response_status_code=~"5.."}}[5m])) > 1',
        f'rate({_BUCKET}{{le=~"1|1\\\\.0"}}[5m]) > 1',
        f'rate({_BUCKET}{{le="+Inf"}}[5m]) > 1',
        f"histogram_quantile(0.9, rate({_BUCKET}[5m])) > 9",
        "up == 0",
        'ALERTS{alertname="x"} == 1',
    ],
)
def test_what_the_contract_declares_is_known(expr: str, tmp_path: Path) -> None:
    found = _found(tmp_path, expr, [_DECLARED])

    assert not {one for one in found if one.startswith(("unknown", "quantile", "match", "not-"))}
