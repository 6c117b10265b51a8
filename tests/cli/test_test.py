"""`obs test` where promtool is missing: it says so, and does not claim a pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from obs.generate import pipeline

SPEC = Path(__file__).parents[1] / "golden" / "mutated"


def test_a_missing_promtool_is_could_not_check(tmp_path: Path) -> None:
    pipeline.write(pipeline.plan([SPEC]), tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "obs", "test", str(tmp_path)],
        env={"PATH": str(tmp_path), "OBS_HOME": str(tmp_path / "home"), "HOME": os.environ.get("HOME", "")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert done.stderr == "error: promtool is not installed\n  hint: obs stack install promtool\n"
    assert done.stdout == ""
