"""The pinned engines still tell what was captured of them: names, types, labels and bounds."""

from __future__ import annotations

import pytest

from obs.catalogue.captured.record import committed, vanished
from obs.stack import engines
from obs.stack.capture.__main__ import GIVEN, PINNED, capture

pytestmark = pytest.mark.engines


@pytest.mark.parametrize(("name", "route"), PINNED)
def test_nothing_that_was_captured_has_vanished(name: str, route: str) -> None:
    _compare(name, route)


@pytest.mark.parametrize(("name", "route"), GIVEN)
def test_nothing_has_vanished_of_what_is_given(name: str, route: str) -> None:
    if engines.find(name, route) is None:
        pytest.skip(f"not run: {name} (no program is given)")
    _compare(name, route)


def _compare(name: str, route: str) -> None:
    fresh = capture(name, route)
    before = {one.file: one for one in committed()}

    assert fresh.file in before, "another version is pinned: run python -m obs.stack.capture"
    assert vanished(before[fresh.file], fresh) == []
