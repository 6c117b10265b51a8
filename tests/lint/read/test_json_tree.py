"""Values of a JSON text know where they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.lint.read.json_tree import BrokenJson, Tree, Value
from obs.lint.source import Source

_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def _tree(text: str) -> Tree:
    return Tree(Source("f.json", text))


def _every(value: Value) -> list[Value]:
    inner = [*value, *value.fields.values()]
    return [value, *(found for item in inner for found in _every(item))]


@given(data=_DATA, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_the_text_at_the_place_of_a_value_reads_as_that_value(
    data: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    for value in _every(_tree(text).root):
        _, start, end = value.span
        assert json.loads(text[start:end]) == value.data


def test_a_place_counts_lines_and_columns_from_one() -> None:
    root = _tree('{\n  "a": [1,\n    {"b": "x"}]\n}').root

    assert str(root.span.place) == "f.json:1:1"
    assert str(root["a"][0].span.place) == "f.json:2:9"
    assert str(root["a"][1]["b"].span.place) == "f.json:3:11"
    assert root["a"][1]["b"].head.length == 3
    assert root["a"].head.length == 1


def test_what_is_missing_is_missing_where_it_should_stand() -> None:
    root = _tree('{"a": {"b": 1}}').root

    assert root["a"]["c"]["d"].data is None
    assert str(root["a"]["c"]["d"].span.place) == "f.json:1:7"
    assert root["a"][7].data is None


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert _tree('{"a": 1, "a": {"b": 2}, "c": 3}').root["a"]["b"].span.place.column == 21


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,', "f.json:1:9"),
        ('{\n"a" 1}', "f.json:2:5"),
        ("", "f.json:1:1"),
        ('{"a": 1} 2', "f.json:1:10"),
        ('{"a": "NaN",\n "b": NaN}', "f.json:2:7"),
        ("[-Infinity]", "f.json:1:2"),
    ],
)
def test_a_broken_text_says_where(text: str, place: str) -> None:
    with pytest.raises(BrokenJson, match="broken JSON") as caught:
        _tree(text)

    assert str(caught.value.at.place) == place


@pytest.mark.parametrize("digits", [16, 400, 20_000])
def test_a_number_beyond_all_counting_is_none(digits: int) -> None:
    root = _tree(f'{{"id": {"9" * digits}, "x": 1e999, "y": -{"9" * digits}.5, "z": {2**53 - 1}}}').root

    assert [root[key].number for key in "xyz"] == [None, None, 2**53 - 1]
    assert root["id"].number is None
    assert root["id"].span.place.column == 8


def test_deep_nesting_is_an_answer_and_no_crash() -> None:
    with pytest.raises(BrokenJson, match="too deeply"):
        _tree("[" * 200_000 + "]" * 200_000)


def test_a_part_of_a_string_knows_its_place_behind_escapes() -> None:
    text = r'{"expr": "a{b=\"c\"} + d"}'
    written = _tree(text).root["expr"].written

    assert written.value[written.value.index("d")] == text[written.at(written.value.index("d")).start]
