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
    before = {one.file: one for one in committed()}
    lacking: list[str] = []
    # Some metrics are told only from an engine's second round on, which a loaded machine may not have reached.
    for _ in range(3):
        fresh = capture(name, route)
        assert fresh.file in before, "another version is pinned: run python -m obs.stack.capture"
        lacking = vanished(before[fresh.file], fresh)
        if not lacking:
            return
    assert lacking == []
