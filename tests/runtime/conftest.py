"""Every test of the runtime begins and ends with obs stopped; those of audit events sign with one key."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _stopped(stopped: None) -> None:
    return None


@pytest.fixture
def key(tmp_path: Path) -> str:
    """The file of a key that signs audit events."""
    path = tmp_path / "key"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    path.chmod(0o400)
    return str(path)
