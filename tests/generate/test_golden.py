"""Specs in, rule files and their tests out, byte by byte. Refresh: OBS_REFRESH=1 pytest tests/generate/test_golden.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from obs.generate import pipeline

GOLDEN = Path(__file__).parents[1] / "golden"
#: The other artefacts have goldens of their own beside the tests of their renderers. Of the service that can
#: do everything the rules are enough here: what its tests say is judged by promtool.
FOLDERS = ("alerts/prometheus", "alerts/tests")


@pytest.mark.parametrize(
    ("case", "environment"), [("shop", None), ("shop", "demo"), ("classic", None), ("complete", None)]
)
def test_rules_and_their_tests_are_what_they_were(case: str, environment: str | None) -> None:
    expected = GOLDEN / case / (f"expected-{environment}" if environment else "expected")
    produced = {
        str(artefact.path): artefact.text
        for artefact in pipeline.plan([GOLDEN / case], environment=environment)
        if str(artefact.path.parent) in (FOLDERS if case != "complete" else FOLDERS[:1])
    }
    if os.environ.get("OBS_REFRESH"):
        for file in expected.rglob("*.yml"):
            file.unlink()
        for path, text in produced.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_text(text, encoding="utf-8")

    frozen = {
        str(file.relative_to(expected)): file.read_text(encoding="utf-8") for file in expected.rglob("*.yml")
    }
    assert sorted(frozen) == sorted(produced)
    for path, text in produced.items():
        assert frozen[path] == text, path
