"""Differences are told where they are: in the field, in the nested field, in the middle of a long text."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest

from obs.testing.compare import difference, matches


class Awkward:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __hash__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "awkward"


@pytest.mark.parametrize(
    ("expected", "found", "lines"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ["as expected otherwise"]),
        ({}, {"a": 1}, []),
        ({"a": 1, "long": 2}, {"a": 2, "long": 3}, ["a     expected 1, got 2", "long  expected 2, got 3"]),
        ({"a": 1}, {"a": "1"}, ["a  expected 1, got '1'"]),
        ({"order": 1}, {"orders": 1}, ["order  expected 1, not there (there is 'orders': 1)"]),
        (
            {"user": {"id": 8, "name": "ann", "city": {"zip": 1}}},
            {"user": {"id": 7, "name": "ann", "city": {"zip": 2}, "age": 5}},
            [
                "user.id        expected 8, got 7",
                "user.city.zip  expected 1, got 2",
                "user.age       not expected, got 5",
            ],
        ),
        ({"a": None}, {}, ["a  expected None, not there"]),
        ({"a": Awkward()}, {"a": 1}, ["a  expected awkward, got 1"]),
    ],
)
def test_each_wrong_field_has_a_line(expected: Any, found: Any, lines: list[str]) -> None:
    assert difference(expected, found) == lines


def test_long_texts_are_shown_from_where_they_differ() -> None:
    before = "x" * 500
    (line,) = difference({"a": f"{before}left"}, {"a": f"{before}right"})
    assert line == f"a  expected ...'{'x' * 30}left', got ...'{'x' * 30}right'"
    (line,) = difference({"a": before}, {"a": f"{before}more"})
    assert line == f"a  expected ...'{'x' * 30}', got ...'{'x' * 30}more'"


def test_expected_values_may_compare_themselves() -> None:
    assert matches({"a": ANY, "b": pytest.approx(0.3)}, {"a": object(), "b": 0.1 + 0.2})
    assert not matches({"a": ANY}, {})
