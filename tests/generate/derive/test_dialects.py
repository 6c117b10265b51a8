"""Matchers and sample series in the words of a team's own metric."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.generate.derive.dialects import MetricName, adapted, label_of, samples
from obs.generate.derive.gaps import reason_of
from obs.generate.model import MappedLabel, MappedSignal, Place

CLASSES = {f"{digit}xx": (f"{digit}xx",) for digit in range(1, 6)}
PLACE = Place("spec.yml", 1, 1)
REQUESTS = MappedSignal(
    "http.server.requests",
    "http_requests_total",
    {
        "http.response.status_code": MappedLabel("status", CLASSES),
        "http.request.method": MappedLabel("verb", {"GET": ("get", "head"), "POST": ("post",)}),
        "http.route": MappedLabel("path"),
    },
    {"handler": "api"},
    PLACE,
)
RUNS = MappedSignal(
    "job.runs", "cron_total", {"job.name": MappedLabel("task")}, {}, PLACE, "cron_failed_total", ("result", "failure")
)  # fmt: skip
LATENCY = MappedSignal("http.server.duration", "latency_ms", {}, {}, PLACE, scale=1000)


def _adapt(signal: MappedSignal, *matchers: str, suffix: str = "") -> tuple[str, list[str]]:
    return adapted(MetricName(signal.metric, signal) + suffix, matchers)


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ('status=~"5.."', ['status="5xx"']),
        ('status=~"[45].."', ['status=~"4xx|5xx"']),
        ('status!~"5.."', ['status=~"1xx|2xx|3xx|4xx"']),
        ('status=~"..."', ['status=~"1xx|2xx|3xx|4xx|5xx"']),
        ('status!=""', []),
        ('verb="GET"', ['verb=~"get|head"']),
        ('verb!="GET"', ['verb!~"get|head"']),
        ('verb!="POST"', ['verb!="post"']),
        ('verb=~"GET|POST"', ['verb=~"get|head|post"']),
        ('path="/cart"', ['path="/cart"']),
        ('path!=""', ['path!=""']),
        ('instance=~"$instance"', ['instance=~"$instance"']),
    ],
)
def test_a_matcher_says_the_same_about_other_values(matcher: str, expected: list[str]) -> None:
    assert _adapt(REQUESTS, matcher) == ("http_requests_total", ['handler="api"', *expected])


@pytest.mark.parametrize("matcher", ['status="403"', 'status=~"50[0-3]"', 'status!="429"', 'verb="PATCH"'])
def test_what_the_values_cannot_express_has_a_reason(matcher: str) -> None:
    _, (_, stand_in) = _adapt(REQUESTS, matcher)
    label, _, rest = matcher.partition("=")

    reason = reason_of(stand_in.partition("=")[0])

    assert reason is not None
    assert "of http_requests_total cannot express" in reason
    assert rest in reason
    assert label.rstrip("!~") in reason


def test_a_label_that_does_not_exist_is_an_empty_one() -> None:
    error = label_of(REQUESTS, "error.type")

    assert _adapt(REQUESTS, f'{error}!~"timeout|reset"') == ("http_requests_total", ['handler="api"'])
    assert _adapt(REQUESTS, f'{error}=""') == ("http_requests_total", ['handler="api"'])
    assert _adapt(REQUESTS, f'{error}!=""')[1] == ['handler="api"', f'{error}!=""']


def test_bad_events_of_a_metric_of_their_own_are_asked_there() -> None:
    result = label_of(RUNS, "result")

    assert _adapt(RUNS, 'task="x"', f'{result}="failure"') == ("cron_failed_total", ['task="x"'])
    assert _adapt(RUNS, f'{result}="success"') == ("cron_total", [f'{result}="success"'])
    assert reason_of(result) == "cron_total has no label for result of job.runs"


def test_bad_events_are_told_in_both_metrics() -> None:
    assert [metric for metric, _ in _series_of("failure")] == ["cron_total", "cron_failed_total"]
    assert [metric for metric, _ in _series_of("success")] == ["cron_total"]


def _series_of(result: str) -> list[tuple[str, dict[str, str]]]:
    return samples(MetricName("cron_total", RUNS), {"task": "x", label_of(RUNS, "result"): result})


def test_good_and_bad_series_stay_apart_without_the_label_that_told_them() -> None:
    good, bad = _series_of("success")[0], _series_of("failure")[0]

    assert good[1] != bad[1]
    assert {**good[1], "story": ""} == {**bad[1], "story": ""}


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ('le="0.5"', 'le=~"500|500\\\\.0"'),
        ('le=~"1|1\\\\.0"', 'le=~"1000|1000\\\\.0"'),
        ('le="0.0005"', 'le="0.5"'),
    ],
)
def test_bounds_are_asked_in_the_unit_of_the_metric(matcher: str, expected: str) -> None:
    assert _adapt(LATENCY, matcher, suffix="_bucket") == ("latency_ms_bucket", [expected])


def test_bounds_of_samples_are_in_the_unit_of_the_metric() -> None:
    name = MetricName("latency_ms", LATENCY) + "_bucket"

    assert samples(name, {"le": "0.25"}) == [("latency_ms_bucket", {"le": "250"})]
    assert samples(name, {"le": "+Inf"}) == [("latency_ms_bucket", {"le": "+Inf"})]


@given(
    st.sampled_from(["=~", "!~"]),
    st.lists(st.sampled_from("12345"), min_size=1, max_size=4, unique=True),
    st.integers(100, 599),
)
def test_classes_select_what_the_codes_would(operator: str, digits: list[str], code: int) -> None:
    """A brute force over codes: the class of a code is selected when the code is."""
    _, (_, *matchers) = _adapt(REQUESTS, f'status{operator}"({"|".join(f"{digit}.." for digit in digits)})"')
    wanted = (str(code)[0] in digits) == (operator == "=~")
    seen = f"{str(code)[0]}xx"

    if not matchers:
        assert wanted
    elif reason_of(matchers[0].partition("=")[0]):
        # No class is left to select.
        assert operator == "!~"
        assert len(digits) == 5 or not wanted
    else:
        _, _, value = matchers[0].partition("=")
        assert bool(re.fullmatch(value.strip('~"'), seen)) == wanted
