"""What promtool says of the rules of every kind of SLI, old and new."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.generate import pipeline
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

GOLDEN = Path(__file__).parents[1] / "golden"


def _judge(program: Path, out: Path) -> str:
    """Return what promtool finds wrong with the rules of SLOs; empty when all is well."""
    rules = sorted((out / "alerts" / "prometheus").glob("*-slo-*.yml"))
    tests = sorted((out / "alerts" / "tests").glob("*-slo-*_test.yml"))
    assert rules
    assert tests
    runs = [
        subprocess.run([str(program), *command], capture_output=True, text=True, check=False, timeout=300)
        for command in (
            ["check", "rules", "--lint-fatal", *map(str, rules)],
            ["test", "rules", *map(str, tests)],
        )
    ]
    return "\n".join(run.stdout + run.stderr for run in runs if run.returncode)


@pytest.mark.parametrize("spec", ["slo", "mutated"])
def test_rules_of_every_kind_of_sli_pass_their_tests(
    spec: str, route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    pipeline.write(pipeline.plan([GOLDEN / spec]), tmp_path)

    assert _judge(installed(route)["promtool"].path, tmp_path) == ""


def test_rules_on_native_histograms_pass_their_tests(
    installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    pipeline.write(pipeline.plan([GOLDEN / "slo_native"]), tmp_path)

    assert _judge(installed("go")["promtool"].path, tmp_path) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"(histogram_fraction\(\s+0,\s+)0\.3,", r"\g<1>3,"),
        (r"(histogram_fraction\(\s+0,\s+)0\.3,", r"\g<1>0.03,"),
        (r'http_route!="/report",', ""),
        (r"\[30m\] offset 1m", "[30m] offset 1h"),
        (r"environment, http_route\)", "environment)"),
    ],
)
def test_a_broken_rule_on_native_histograms_turns_promtool_red(
    right: str, wrong: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    pipeline.write(pipeline.plan([GOLDEN / "slo_native"]), tmp_path)
    file = tmp_path / "alerts" / "prometheus" / "shop-slo-speed.yml"
    broken, count = re.subn(right, wrong, file.read_text(encoding="utf-8"))
    assert count
    file.write_text(broken, encoding="utf-8")

    assert "FAILED" in _judge(installed("go")["promtool"].path, tmp_path)
