"""Every command says exactly what its transcript says. Refresh: OBS_REFRESH=1 make test."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_HERE = Path(__file__).parent


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


transcript, warm = _beside("transcript"), _beside("warm")

_CASES = sorted(path for path in _HERE.rglob("*.txt"))


@pytest.fixture(scope="module")
def obs() -> Iterator[Any]:
    with warm.Warm(transcript.environment()) as process:
        yield process


def _alone(words: Sequence[str], directory: Path) -> tuple[str, int]:
    """Run `obs` in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "obs", *words],
        cwd=directory,
        env=transcript.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout, done.returncode


@pytest.mark.parametrize("path", _CASES, ids=lambda path: str(path.relative_to(_HERE)))
def test_the_command_says_what_its_transcript_says(path: Path, tmp_path: Path, obs: Any) -> None:
    text = path.read_text(encoding="utf-8")
    session, files = transcript.split(text)

    seen = transcript.replay(session, files, tmp_path, obs.run)

    if os.environ.get("OBS_REFRESH"):
        path.write_text(seen + text[len(session) :], encoding="utf-8")
    else:
        assert session == seen


@pytest.mark.parametrize("words", [["--help"], ["spec", "check", "nowhere.yml"], ["generate"]], ids=" ".join)
def test_a_command_says_the_same_in_an_interpreter_of_its_own(
    words: list[str], tmp_path: Path, obs: Any
) -> None:
    assert _alone(words, tmp_path) == obs.run(words, tmp_path)


def test_there_are_transcripts() -> None:
    assert _CASES
