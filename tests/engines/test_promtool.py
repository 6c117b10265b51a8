"""What promtool says of the rules: the committed ones, other specs, and rules that someone broke.

The oldest promtool that we promise (Debian's 2.42) and the newest must agree.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.generate import pipeline
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"

Promtool = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def promtool(route: str, installed: Callable[[str], dict[str, Engine]]) -> Promtool:
    program = installed(route)["promtool"].path

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
        )

    return run


def _judge(promtool: Promtool, alerts: Path) -> str:
    """Return what promtool finds wrong; empty when all is well."""
    rules = sorted((alerts / "prometheus").glob("*.yml"))
    tests = sorted((alerts / "tests").glob("*_test.yml"))
    assert rules
    assert tests
    runs = [promtool("check", "rules", "--lint-fatal", *rules), promtool("test", "rules", *tests)]
    return "\n".join(run.stdout + run.stderr for run in runs if run.returncode)


def test_promtool_accepts_the_committed_rules_and_passes_their_tests(promtool: Promtool) -> None:
    assert _judge(promtool, ROOT / "alerts") == ""


@pytest.mark.parametrize("case", ["shop", "classic"])
@pytest.mark.parametrize("environment", [None, "demo"])
def test_rules_of_any_spec_pass_their_tests(
    case: str, environment: str | None, promtool: Promtool, tmp_path: Path
) -> None:
    pipeline.write(pipeline.plan([GOLDEN / case], environment=environment), tmp_path)

    assert _judge(promtool, tmp_path / "alerts") == ""
