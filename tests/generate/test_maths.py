"""The maths of the generator against hand-computed tables and laws."""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import SpecError
from obs.generate.derive.samples import Phase, counter, exact, gauge, good
from obs.generate.derive.slo.windows import FAST, SLOW, threshold
from obs.generate.derive.templates import fill
from obs.generate.model import Duration, LatencySli, Place, Slo, dashboard_uid, panel_id
from obs.generate.render.yaml_writer import dump
from obs.generate.spec import document

PLACE = Place("spec.yml", 1, 1)


def _slo(objective: str, window: str = "30d") -> Slo:
    sli = LatencySli("http.server.duration", Duration.parse("1s"))
    return Slo("a", Decimal(objective), Duration.parse(window), sli, 3, PLACE)


@pytest.mark.parametrize(
    ("window", "factors"),
    [
        ("30d", ["14.4", "6", "3", "1"]),
        ("28d", ["13.44", "5.6", "2.8", "0.9333333333"]),
        # A week and a quarter are watched at the speeds of a month, not by the shares of one.
        ("7d", ["14.4", "6", "3", "1"]),
        ("90d", ["14.4", "6", "3", "1"]),
    ],
)
def test_burn_factors_are_those_of_the_workbook(window: str, factors: list[str]) -> None:
    period = Duration.parse(window)

    found = [pair.factor(period) for pair in (*FAST, *SLOW)]

    assert found == [pytest.approx(Decimal(factor), abs=Decimal("1e-9")) for factor in factors]


def test_thresholds_are_exact_decimals() -> None:
    assert [f"{threshold(pair, _slo('99.9')):f}" for pair in (*FAST, *SLOW)] == [
        "0.0144",
        "0.006",
        "0.003",
        "0.001",
    ]
    assert f"{_slo('99.9').budget:f}" == "0.001"


@given(st.decimals(min_value=2, max_value=Decimal("99.999"), places=3))
def test_a_threshold_is_a_ratio_or_an_error(objective: Decimal) -> None:
    slo = _slo(str(objective))
    for pair in (*FAST, *SLOW):
        possible = pair.factor(slo.window) * slo.budget < 1
        if possible:
            assert 0 < threshold(pair, slo) < 1
        else:
            with pytest.raises(SpecError, match="expected an objective above"):
                threshold(pair, slo)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_reads_what_it_writes(milliseconds: int) -> None:
    span = Duration(milliseconds)

    assert Duration.parse(str(span)) == span


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0s", 0),
        ("500ms", 500),
        ("90s", 90_000),
        ("1h30m", 5_400_000),
        ("2w", 1_209_600_000),
        ("5m", 300_000),
    ],
)
def test_durations_are_read_as_prometheus_reads_them(text: str, milliseconds: int) -> None:
    assert Duration.parse(text).milliseconds == milliseconds


@given(st.text(max_size=8).filter(lambda text: not any(letter.isdigit() for letter in text)))
def test_what_holds_no_number_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the text itself
        Duration.parse(text)


@pytest.mark.parametrize("text", ["", "5", "5 m", "m5", "5m5h", "-5m", "1.5h", "5M", "5m\n"])
def test_what_prometheus_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Duration.parse(text)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_DATA = st.recursive(
    st.one_of(_TEXTS, st.integers(-(10**9), 10**9), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)),
    max_leaves=20,
)


@given(st.dictionaries(_TEXTS, _DATA, min_size=1, max_size=5))
def test_a_yaml_reader_gets_back_what_was_written(data: dict[str, object]) -> None:
    assert yaml.safe_load(dump(data)) == data  # type: ignore[arg-type]  # hypothesis builds such data


@pytest.mark.parametrize(
    "text", ["5m", "1e3", "on", "No", "1_000", "0x1f", "12:30", "~", "- a", "a: b", "# a", " x\ny", "x\n\ny"]
)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    assert yaml.safe_load(dump({"a": {"b": text}})) == {"a": {"b": text}}


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 10**6)), min_size=1, max_size=6))
def test_a_counter_never_shrinks_and_counts_every_event(track: list[tuple[int, int]]) -> None:
    values = _expand(counter([(steps, Decimal(growth)) for steps, growth in track]))

    assert values == sorted(values, key=lambda value: value or 0)
    assert len(values) == sum(steps for steps, _ in track) + 1
    assert values[-1] == sum(steps * growth for steps, growth in track)


def test_a_counter_that_is_born_later_starts_with_its_first_events() -> None:
    assert _expand(counter(good([Phase(2, None), Phase(3, Decimal(5))]))) == [None, None, 5, 10, 15]


def test_a_series_that_ends_says_so() -> None:
    assert gauge([(1, 1), (3, None), (1, 0)]) == "1x1 stale _x2 0x0"


@given(st.decimals(min_value=0, max_value=10**6, places=6), st.integers(1, 1000))
def test_exact_numbers_add_up_in_floating_point(value: Decimal, times: int) -> None:
    step = exact(value)

    assert abs(step - value) <= Decimal(1) / 2048
    assert float(step) * times == float(step * times)


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{{ $value | humanizePercentage }}", 0.05105, "5.105%"),
        ("{{ $value | humanizePercentage }}", 1.0, "100%"),
        ("{{ $value | humanizeDuration }}", 0.0125, "12.5ms"),
        ("{{ $value | humanizeDuration }}", 1.0083333, "1.008s"),
        ("{{ $value | humanizeDuration }}", 90.0, "1m 30s"),
        ("{{ $value | humanizeDuration }}", 93600.0, "1d 2h 0m 0s"),
        ("{{ $value | humanize }}", 1234.0, "1.234k"),
        ("{{ $labels.environment | urlquery }}", 0.0, "a+b%2Fc"),
        ("{{ $labels.missing }}", 0.0, ""),
    ],
)
def test_templates_are_filled_as_prometheus_fills_them(template: str, value: float, text: str) -> None:
    assert fill(template, {"environment": "a b/c"}, value) == text


@given(st.text(max_size=60))
def test_links_to_panels_fit_grafanas_limits(name: str) -> None:
    assert 0 < panel_id(name) < 2**31
    assert len(dashboard_uid(name)) <= 40


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=1
    )
)
def test_every_node_knows_where_it_stands(data: dict[str, str]) -> None:
    text = "".join(f"{key}:   {value}\n" for key, value in data.items())

    root = document.parse(text, "spec.yml")

    assert isinstance(root.value, dict)
    for line, (key, entry) in enumerate(root.value.items(), start=1):
        assert Place("spec.yml", line, 1) == entry.key
        assert Place("spec.yml", line, len(key) + 5) == entry.node.place


def _expand(values: str) -> list[float | None]:
    """Read promtool's notation for series."""
    expanded: list[float | None] = []
    for part in values.split():
        head, _, count = part.partition("x")
        if head in {"_", "stale"}:
            expanded += [None] * (int(count) if count else 1)
            continue
        start, _, growth = head.partition("+")
        expanded += [float(start) + float(growth or 0) * number for number in range(int(count) + 1)]
    return expanded
