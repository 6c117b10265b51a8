"""Tests that share running engines stay in one worker; nothing else fails when they do not, it only takes longer."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("groups")]


def test_the_group_of_a_test_is_where_the_distribution_reads_it(request: pytest.FixtureRequest) -> None:
    heeds_groups = bool(getattr(request.config.option, "loadgroup", False))
    assert request.node.nodeid.endswith("@groups") == heeds_groups
