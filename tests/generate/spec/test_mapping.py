"""Roles played by a team's own metrics: what is read, and what can never work."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.catalogue import Histogram, Registry, bundled
from obs.catalogue.target import UP
from obs.errors import SpecError
from obs.generate import pipeline
from obs.generate.model import MappedSignal
from obs.generate.spec import document, mapping


def _read(text: str) -> dict[str, MappedSignal]:
    return mapping.read(document.parse(text, "spec.yml"), bundled())


def _narrowed(text: str, *, closed: bool = False) -> Registry:
    node = document.parse(text, "spec.yml")
    return mapping.narrowed(bundled(), mapping.read(node, bundled()), node, closed=closed)


def test_labels_values_and_matchers_are_read() -> None:
    found = _read(
        "http.server.requests:\n"
        "  metric: http_requests_total\n"
        "  labels:\n"
        "    http.route: path\n"
        "    http.response.status_code: {label: status, values: class}\n"
        "  match: {handler: api}\n"
    )["http.server.requests"]

    assert found.metric == "http_requests_total"
    assert found.labels["http.route"].label == "path"
    assert found.labels["http.response.status_code"].values["5xx"] == ("5xx",)
    assert found.match == {"handler": "api"}


def test_labels_that_are_not_named_do_not_exist() -> None:
    signals = _narrowed("job.runs: {metric: cron_total, labels: {job.name: task}}")

    assert [label.name for label in signals.find("job.runs").labels] == ["job.name"]


def test_bounds_are_kept_in_the_unit_of_the_signal() -> None:
    signals = _narrowed(
        "http.server.duration: {metric: http_latency_ms, unit: ms, buckets: [5, 70, 250, 1000], labels: {}}"
    )
    duration = signals.find("http.server.duration")

    assert isinstance(duration, Histogram)
    assert duration.buckets == (0.005, 0.07, 0.25, 1.0)


def test_without_a_contract_only_what_is_mapped_and_what_every_scrape_brings_exists() -> None:
    signals = _narrowed("job.runs: {metric: cron_total, labels: {job.name: task}}", closed=True)

    assert "job.runs" in signals
    assert UP.id in signals
    assert {signal.origin for signal in signals if signal.id != "job.runs"} == {"target"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "http.server.request: {metric: x_total}",
            "spec.yml:1:1: mapping: unknown signal 'http.server.request'\n  hint: did you mean 'http.server.requests'?",
        ),
        ("job.runs: {labels: {}}", "spec.yml:1:11: mapping.job.runs needs 'metric'"),
        (
            "job.runs: {metric: a-b}",
            "spec.yml:1:20: mapping.job.runs.metric: got 'a-b', expected the name of a metric such as shop_orders_total",
        ),
        (
            "http.server.duration: {metric: x_seconds}",
            (
                "spec.yml:1:23: mapping.http.server.duration needs 'buckets'\n"
                "  hint: the values of le that the service writes, without +Inf, in the metric's own unit"
            ),
        ),
        (
            "http.server.duration: {metric: x_seconds_bucket, buckets: [1]}",
            (
                "spec.yml:1:32: mapping.http.server.duration.metric: got 'x_seconds_bucket', expected it without _bucket\n"
                "  hint: x_seconds"
            ),
        ),
        (
            "http.server.duration: {metric: x_seconds, buckets: [1, 0.5]}",
            (
                "spec.yml:1:52: mapping.http.server.duration.buckets: expected bounds above zero that ascend "
                "and do not repeat"
            ),
        ),
        (
            "job.runs: {metric: x_total, unit: ms}",
            "spec.yml:1:29: mapping.job.runs.unit: job.runs is a counter, only histograms have one",
        ),
        (
            "job.runs: {metric: x_total, labels: {jobname: task}}",
            (
                "spec.yml:1:38: mapping.job.runs.labels: job.runs has no label 'jobname'\n"
                "  hint: did you mean 'job.name'?"
            ),
        ),
        (
            "circuit_breaker.state: {metric: circuit_breaker_state, labels: {target: service}}",
            (
                "spec.yml:1:73: mapping.circuit_breaker.state.labels.target: label 'service' belongs to the target\n"
                "  hint: what the metric itself calls service is stored as exported_service"
            ),
        ),
        (
            "job.runs: {metric: x_total, labels: {result: {label: r, values: {failed: bad}}}}",
            (
                "spec.yml:1:66: mapping.job.runs.labels.result.values: label 'result' is never 'failed'\n"
                "  hint: did you mean 'failure'?"
            ),
        ),
        (
            "job.runs: {metric: x_total, labels: {result: r}, bad: {metric: y_total, when: {result: failure}}}",
            (
                "spec.yml:1:50: mapping.job.runs.bad: label 'result' of x_total says already which events are bad\n"
                "  hint: leave out one of the two: bad, or result under labels"
            ),
        ),
        (
            "db.connections.used: {metric: x, bad: {metric: y, when: {}}}",
            "spec.yml:1:39: mapping.db.connections.used.bad: db.connections.used is a gauge, only counters count bad events",
        ),
        (
            "job.runs: {metric: x_total, match: {task: 'a\"b'}}",
            "spec.yml:1:43: mapping.job.runs.match.task: got 'a\"b', expected a value without any of \" \\ { } $ `",
        ),
    ],
)
def test_what_cannot_work_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError) as refusal:
        _read(text) if "buckets: [1, 0.5]" not in text else _narrowed(text)

    assert message == str(refusal.value)


def test_an_objective_that_the_values_cannot_express_is_refused_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.yml").write_text(
        "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [http]\n"
        "mapping:\n  http.server.requests:\n    metric: req_total\n"
        "    labels: {http.response.status_code: {label: status, values: class}}\n"
        "slos:\n  denied:\n    objective: 99\n"
        "    sli: {ratio: {total: http.server.requests, bad: {http.response.status_code: '403'}}}\n",
        encoding="utf-8",
    )

    with pytest.raises(SpecError) as refusal:
        pipeline.plan([Path("spec.yml")])

    assert str(refusal.value) == (
        "spec.yml:10:16: slos.denied: the values of label status of req_total cannot express "
        '="403" of http.server.requests'
    )
