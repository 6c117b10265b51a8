"""Every test of the runtime begins and ends with obs stopped."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _stopped(stopped: None) -> None:
    return None
