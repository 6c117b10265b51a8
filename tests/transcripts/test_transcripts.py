"""Every command says exactly what its transcript says. Refresh: OBS_REFRESH=1 make test."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("transcript", _HERE / "transcript.py")
assert _spec is not None
assert _spec.loader is not None
transcript = importlib.util.module_from_spec(_spec)
sys.modules["transcript"] = transcript
_spec.loader.exec_module(transcript)

_CASES = sorted(path for path in _HERE.rglob("*.txt"))


@pytest.mark.parametrize("path", _CASES, ids=lambda path: str(path.relative_to(_HERE)))
def test_the_command_says_what_its_transcript_says(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    session, files = transcript.split(text)

    seen = transcript.replay(session, files, tmp_path)

    if os.environ.get("OBS_REFRESH"):
        path.write_text(seen + text[len(session) :], encoding="utf-8")
    else:
        assert session == seen


def test_there_are_transcripts() -> None:
    assert _CASES
