"""A check of specs tells every mistake once, and nothing that follows from another."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from obs.generate import checking

HEAD = "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [http, jobs, process]\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _told(today: dt.date = dt.date(2026, 6, 15), **specs: str) -> list[str]:
    for name, text in specs.items():
        Path(f"{name}.yml").write_text(text, encoding="utf-8")
    return [
        f"{mistake.error.where}: {mistake.error.message}"
        for mistake in checking.check([Path()], today).mistakes
    ]


def test_a_good_spec_has_no_mistake() -> None:
    assert _told(spec=HEAD) == []


def test_mistakes_of_one_entry_are_all_told() -> None:
    told = _told(
        spec=HEAD
        + "slos:\n"
        + "  fast:\n"
        + "    objective: 0.99\n"
        + "    window: 1 month\n"
        + "    sli: {latency: {signal: http.server.duration, under: 300ms}}\n"
    )

    assert [line.partition(": ")[2].partition(":")[0] for line in told] == [
        "slos.fast.objective",
        "slos.fast.window",
        "slos.fast.sli.latency.under",
    ]


def test_what_is_missing_because_of_a_mistake_is_not_told() -> None:
    assert _told(spec=HEAD + "jobs:\n  nightly:\n    schedul: 1d\n    grace: 1h\n") == [
        "spec.yml:6:5: unknown key 'schedul' in jobs.nightly"
    ]


def test_what_is_missing_is_told_and_what_stands_beside_it_is_read() -> None:
    assert _told(spec=HEAD + "jobs:\n  nightly:\n    grace: soon\n") == [
        "spec.yml:6:5: jobs.nightly needs 'schedule'",
        "spec.yml:6:12: jobs.nightly.grace: got 'soon', expected a duration such as 30s, 5m or 1h30m",
    ]


def test_a_mistake_in_the_name_hides_no_other() -> None:
    assert _told(spec=HEAD.replace("name: shop", "name: my shop") + "nope: 1\n") == [
        "spec.yml:2:17: service.name: got 'my shop', expected letters, digits, - and _, a letter first",
        "spec.yml:4:1: unknown key 'nope' in the spec",
    ]


def test_every_environment_is_read_and_derived() -> None:
    told = _told(
        spec=HEAD
        + "environments:\n"
        + "  dev: {alerts: {HttpErrorRatioHigh: {threshold: 5}}}\n"
        + "  prod: {alerts: {HttpErorRatioHigh: {for: 5m}}}\n"
    )

    assert told == [
        "spec.yml:5:50: alerts.HttpErrorRatioHigh.threshold: got 5, expected a ratio from 0.0001 to 0.999",
        "spec.yml:6:19: there is no alert 'HttpErorRatioHigh'",
    ]


def test_a_mistake_of_a_shared_file_is_told_once() -> None:
    shared = "alerts:\n  TargetDown: {for: soon}\n"
    Path("base").mkdir()
    Path("base/shared.yml").write_text(shared, encoding="utf-8")

    assert _told(
        a=HEAD + "extends: base/shared.yml\n",
        b=HEAD.replace("name: shop", "name: other") + "extends: base/shared.yml\n",
    ) == [
        "base/shared.yml:2:21: alerts.TargetDown.for: got 'soon', expected a duration such as 30s, 5m or 1h30m"
    ]


def test_mistakes_of_several_specs_stand_in_the_order_of_files_and_lines() -> None:
    assert _told(
        b="a: b: c\n", a=HEAD + "nope: 1\nnor: 2\n", c="version: obs/v2\nservice: {name: x, team: y}\n"
    ) == [
        "a.yml:4:1: unknown key 'nope' in the spec",
        "a.yml:5:1: unknown key 'nor' in the spec",
        "b.yml:1:5: broken YAML: mapping values are not allowed in this context",
        "c.yml:1:10: version: got 'obs/v2', expected 'obs/v1'",
    ]


def test_what_only_all_specs_together_get_wrong_is_told() -> None:
    told = _told(a=HEAD, b=HEAD.replace("capabilities: [http, jobs, process]", "capabilities: [process]"))

    assert told == ["b.yml:2:17: service 'shop' is declared twice"]


def test_of_services_whose_names_are_refused_nobody_says_that_they_are_one() -> None:
    bad = HEAD.replace("name: shop", "name: my shop")

    assert [line.split(":")[0] for line in _told(a=bad, b=bad)] == ["a.yml", "b.yml"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slos: {a: {objective: 99, by: [a-b], sli: SLI}}\n", "has no label 'a-b'"),
        (
            "downtime: {a: {dates: [soon], from: '1:00', to: '2:00', reason: x}}\n",
            "got 'soon', expected a date",
        ),
        (
            (
                "mapping: {http.server.duration: {metric: x_ms, unit: ms, buckets: [1, 5000]}}\n"
                "slos: {a: {objective: 99, sli: {latency: {signal: http.server.duration, under: 1s, buckets: native}}}}\n"
            ),
            "x_ms is no native histogram in seconds",
        ),
    ],
)
def test_a_list_that_is_empty_and_a_stand_in_that_is_refused_are_no_mistakes(text: str, told: str) -> None:
    sli = "{ratio: {total: http.server.requests, bad: {http.response.status_code: 5xx}}}"

    (said,) = _told(spec=HEAD + text.replace("SLI", sli))

    assert told in said


OFF = HEAD + "alerts:\n  TargetDown: {disabled: moves in June, until: 2026-06-14}\n"


def test_an_alert_that_was_to_be_switched_on_again_is_told_the_day_after() -> None:
    assert _told(dt.date(2026, 6, 14), spec=OFF) == []
    assert _told(dt.date(2026, 6, 15), spec=OFF) == [
        "spec.yml:5:48: alerts.TargetDown: was to be switched off until 2026-06-14: moves in June"
    ]


def test_what_an_environment_has_switched_off_ends_too() -> None:
    text = (
        HEAD + "environments:\n  dev: {alerts: {TargetDown: {disabled: moves in June, until: 2026-06-14}}}\n"
    )

    assert len(_told(dt.date(2026, 6, 15), spec=text)) == 1


def test_only_what_is_switched_off_ends() -> None:
    assert _told(spec=HEAD + "alerts:\n  TargetDown: {for: 1m, until: 2026-06-14}\n") == [
        "spec.yml:5:32: alerts.TargetDown.until: only what is disabled ends"
    ]
