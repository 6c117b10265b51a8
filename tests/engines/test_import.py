"""Rules of imported objectives, by the tests that are generated with them, in promtool."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.generate.adopt.test_import import EVENTS, GOOD, HEAD, LATENCY, RAW

from obs.cli.main import run
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines


def test_imported_objectives_burn_as_their_generated_tests_say(
    installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    assert installed("debian")
    (tmp_path / "sloth.yml").write_text(HEAD + EVENTS + LATENCY + RAW + GOOD, encoding="utf-8")
    spec, out = tmp_path / "shop.yml", tmp_path / "out"
    assert run(["spec", "import", str(tmp_path / "sloth.yml"), "--out", str(spec)]) == 0
    assert run(["generate", str(spec), "--out", str(out)]) == 0

    done = subprocess.run(
        [sys.executable, "-m", "obs", "test", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout + done.stderr
