"""What a person reads when an assertion fails. `OBS_REFRESH=1` writes the file anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
_HERE = Path(__file__).parent
_GOLDEN = _HERE / "golden" / "failures.txt"
# Read before the fixtures take settings away.
_REFRESH = bool(os.environ.get("OBS_REFRESH"))


def messages(output: list[str]) -> str:
    """Return the failures of a pytest run: name and message of each, in the order of the file."""
    kept: list[str] = []
    for line in output:
        if line.startswith("____") and line.strip("_ "):
            kept += ["", line.strip("_ ")]
        elif line.startswith("E ") or line == "E":
            kept.append(line[6:].rstrip())
    return "\n".join(kept).strip() + "\n"


def test_a_failure_shows_the_nearest_that_there_was_field_by_field(pytester: pytest.Pytester) -> None:
    shutil.copy(_HERE / "failing.py", pytester.path / "test_failing.py")
    done = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "--color=no")
    done.assert_outcomes(failed=15)
    found = messages(done.outlines)
    if _REFRESH:
        _GOLDEN.parent.mkdir(exist_ok=True)
        _GOLDEN.write_text(found, encoding="utf-8")
    assert found == _GOLDEN.read_text(encoding="utf-8")
    # The traceback ends in the test, not inside of the kit.
    assert not [line for line in done.outlines if "telemetry.py:" in line]
