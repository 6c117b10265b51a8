"""Commands that look for no garbage while they work, and leave a process that does."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from obs.cli.main import run

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "tests" / "golden" / "shop" / "spec.yml"


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was_on else gc.disable)()


def test_after_generating_and_after_failing_to(tmp_path: Path) -> None:
    assert run(["generate", str(SPEC), "--out", str(tmp_path), "--only", "rules"]) == 0
    assert gc.isenabled()
    assert run(["generate", str(tmp_path / "nowhere.yml")]) == 2
    assert gc.isenabled()


def test_after_linting_and_after_failing_to(tmp_path: Path) -> None:
    assert run(["lint", str(SPEC)]) == 0
    assert gc.isenabled()
    assert run(["lint", str(tmp_path / "nowhere.yml")]) == 2
    assert gc.isenabled()


def test_who_had_it_switched_off_keeps_it_off(tmp_path: Path) -> None:
    gc.disable()
    assert run(["generate", str(SPEC), "--out", str(tmp_path), "--only", "rules"]) == 0
    assert not gc.isenabled()
