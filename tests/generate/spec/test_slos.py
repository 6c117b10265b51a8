"""`slos:` of a spec: what is read, and what is refused with place, expectation and nearest match."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import SpecError
from obs.generate.derive.slo import files
from obs.generate.model import CustomSli, Duration, FreshnessSli, LabelValues, LatencySli, RatioSli, Slo
from obs.generate.spec.load import load

HEAD = "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [http, jobs]\nslos:\n"
RATIO = "{ratio: {total: http.server.requests, bad: {http.response.status_code: 5xx}}}"
CUSTOM = (
    '{custom: {bad: \'sum by (service, environment) (increase(job_runs_total{service="shop", result="failure"}[{{window}}]))\', '
    "total: 'sum by (service, environment) (increase(job_runs_total{service=\"shop\"}[{{window}}]))', "
    "series: {good: 'job_runs_total{result=\"success\"}', bad: 'job_runs_total{result=\"failure\"}'}}}"
)


def _custom(right: str, wrong: str) -> str:
    assert right in CUSTOM
    return f"{{objective: 99, sli: {CUSTOM.replace(right, wrong)}}}"


def _slo(tmp_path: Path, text: str) -> Slo:
    spec = tmp_path / "spec.yml"
    spec.write_text(f"{HEAD}  a: {text}\n", encoding="utf-8")
    service = load([spec])[0]
    files.rule_files(service)
    return service.slos[0]


def test_labels_may_have_several_values(tmp_path: Path) -> None:
    slo = _slo(
        tmp_path,
        "{objective: 99, by: [http.route], max_groups: 9, exclude: {http.route: [/ready, /health]}, "
        "sli: {ratio: {total: http.server.requests, bad: {http.response.status_code: [5xx, 429]}}}}",
    )

    assert slo.sli == RatioSli(
        "http.server.requests", (LabelValues("http.response.status_code", ("429", "5xx")),)
    )
    assert (slo.by, slo.max_groups) == (("http.route",), 9)
    assert slo.exclusions == (LabelValues("http.route", ("/health", "/ready")),)


def test_native_buckets_need_no_declared_bound(tmp_path: Path) -> None:
    slo = _slo(
        tmp_path,
        "{objective: 99, sli: {latency: {signal: http.server.duration, under: 333ms, buckets: native}}}",
    )

    assert slo.sli == LatencySli("http.server.duration", Duration.parse("333ms"), "native")


def test_freshness_and_custom_are_read(tmp_path: Path) -> None:
    fresh = _slo(
        tmp_path,
        "{objective: 99, sli: {freshness: {signal: job.last_success, under: 26h, where: {job.name: n}}}}",
    )
    custom = _slo(tmp_path, f"{{objective: 99, sli: {CUSTOM}}}")

    assert fresh.sli == FreshnessSli(
        "job.last_success", Duration.parse("26h"), (LabelValues("job.name", ("n",)),)
    )
    assert isinstance(custom.sli, CustomSli)
    assert custom.sli.good_series == ('job_runs_total{result="success"}',)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{{objective: 99, sli: {RATIO}, max_groups: 5}}", "there is one budget only"),
        (f"{{objective: 99, sli: {RATIO}, by: [http.rout]}}", "has no label 'http.rout'"),
        (f"{{objective: 99, sli: {RATIO}, by: []}}", "expected 1 to 4 labels"),
        (f"{{objective: 99, sli: {RATIO}, by: [http.route, http.route]}}", "every budget has its own 'http.route'"),
        (f"{{objective: 99, sli: {RATIO}, by: [http.response.status_code]}}", "every budget would be spent or whole"),
        (f"{{objective: 99, sli: {RATIO}, by: [http.route], max_groups: 5000}}", "from 1 to 1000"),
        (f"{{objective: 99, sli: {RATIO}, exclude: {{http.response.status_code: 5xx}}}}", "every bad event would be excluded"),
        (f"{{objective: 99, sli: {RATIO}, exclude: {{http.rout: x}}}}", "has no label 'http.rout'"),
        (f"{{objective: 99, sli: {RATIO}, exclude: {{http.route: [a, a]}}}}", "a list of different values"),
        (f"{{objective: 99, sli: {RATIO}, exclude: {{http.request.method: FETCH}}}}", "is never 'FETCH'"),
        (f"{{objective: 99, window: 40h, sli: {RATIO}}}", "expected whole days from 7d to 90d"),
        (f"{{objective: 90, sli: {RATIO}}}", "expected an objective above 93.06"),
        ("{objective: 99, sli: {rato: {}}}", "unknown key 'rato'"),
        ("{objective: 99, sli: {}}", "needs exactly one of 'ratio', 'latency', 'freshness', 'custom'"),
        ("{objective: 99, sli: {latency: {signal: http.server.duration, under: 300ms}}}", "is no bucket bound"),
        ("{objective: 99, sli: {latency: {signal: http.server.duration, under: 1s, buckets: natve}}}", "'native'"),
        ("{objective: 99, sli: {freshness: {signal: job.last_success, under: 30s}}}", "expected at least 1m"),
        ("{objective: 99, sli: {freshness: {signal: http.server.duration, under: 1h}}}", "expected a gauge that holds a time"),
        ("{objective: 99, min_bad_events: 99, sli: {freshness: {signal: job.last_success, under: 1h}}}", "every event is a minute"),
        ("{objective: 99, exclude: {job.name: x}, sli: {freshness: {signal: job.last_success, under: 1h}}}", "says in its where"),
        (f"{{objective: 99, exclude: {{job.name: x}}, sli: {CUSTOM}}}", "says in its PromQL"),
        (_custom("{{window}}", "5m"), "there is no {{window}} in it"),
        (_custom("job_runs_total", "job_run_total"), "no signal of the contract is called 'job_run_total'"),
        (_custom("increase(", "increase(("), "no PromQL"),
        (_custom("by (service, environment)", "by (result)"), "the result has no label 'service'"),
        (_custom("sum by (service, environment)", "sum"), "the result has no label 'service'"),
        (_custom("good: '", "good: '="), "is no series"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_its_place(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        _slo(tmp_path, text)

    assert message in str(refused.value) or message in (refused.value.hint or "")
    assert refused.value.where is not None
    assert refused.value.where.startswith(f"{tmp_path}/spec.yml:5:")
