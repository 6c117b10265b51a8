"""The kit's own tests begin and end with obs stopped."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _stopped(stopped: None) -> None:
    return None
