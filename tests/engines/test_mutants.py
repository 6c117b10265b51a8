"""A sample of the mutants of `make mutants`, judged by the same frozen stories.

The whole run takes many minutes and is for people; docs/explanation/mutations.md shows its outcome.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[2]
SAMPLE = 24
#: Of so few, chance takes more than of thousands; the whole run asks for 90 of a hundred.
LEAST = 60


def test_alerts_do_what_the_frozen_stories_say_and_mistakes_in_the_generator_are_noticed(
    installed: Callable[[str], dict[str, Engine]],
) -> None:
    installed("go")
    command = [sys.executable, "-m", "tests.mutations.run", "--sample", str(SAMPLE), "--least", str(LEAST)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)

    assert done.returncode == 0, done.stdout + done.stderr
