"""What is left of a Django pattern in the route of a metric."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.integrations.django_routes import simplified


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("", "/"),
        ("users/<int:pk>/", "/users/<int:pk>/"),
        (r"^$", "/"),
        (r"^users/(?P<pk>[0-9]+)/$", "/users/<pk>/"),
        (r"api/^(?P<version>v(?:1|2))/(\w+)/$", "/api/<version>/<var>/"),
        (r"^a\.b\-c/(?:page-(?P<page>\d+)/)?$", "/a.b-c/page-<page>/"),
        (r"^x/(?P<slug>[-)(\w]+)/\Z", "/x/<slug>/"),
        (r"^y/(?P<odd>[]()]+)?/(?=z)z/\b", "/y/<odd>/z/"),
        (r"^(?P<unclosed>", "/<unclosed>"),
        ("en/about/", "/en/about/"),
    ],
)
def test_a_pattern_reads_as_a_path(route: str, expected: str) -> None:
    assert simplified(route) == expected


@given(st.text(alphabet="^$\\\\()[]?P<>:=!*+{}|/.-abcZ09", max_size=60) | st.text(max_size=60))
def test_any_pattern_becomes_a_path_without_the_rules_of_its_groups(route: str) -> None:
    path_ = simplified(route)
    assert path_.startswith("/")
    assert len(path_) <= 5 * len(route) + 1
    if not re.search(r"[\\[\](]", route):
        # Without groups nothing but the marks of a regex goes.
        assert path_.lstrip("/") == re.sub(r"[\^$]", "", route).lstrip("/")
