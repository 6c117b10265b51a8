"""What promtool says of the rules: the committed ones, other specs, and rules that someone broke.

The oldest promtool that we promise (Debian's 2.42) and the newest must agree.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.generate import pipeline
from obs.generate.render import delay
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


def test_rules_at_the_ends_of_what_is_legal_pass_their_tests(promtool: Promtool, tmp_path: Path) -> None:
    pipeline.write(pipeline.plan([GOLDEN / "extreme"]), tmp_path)

    assert _judge(promtool, tmp_path / "alerts") == ""


def test_every_alert_of_a_service_that_can_do_everything_passes_its_tests(
    promtool: Promtool, tmp_path: Path
) -> None:
    pipeline.write(pipeline.plan([GOLDEN / "complete"]), tmp_path)

    assert _judge(promtool, tmp_path / "alerts") == ""


def test_rules_of_one_environment_pass_their_tests_whatever_else_selects_their_series(
    promtool: Promtool, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.yml"
    text = (GOLDEN / "platform" / "spec.yml").read_text(encoding="utf-8")
    spec.write_text(f"{text}telemetry: {{select: {{environment: prod, region: eu}}}}\n", encoding="utf-8")
    pipeline.write(pipeline.plan([spec]), tmp_path)

    assert _judge(promtool, tmp_path / "alerts") == ""


@pytest.fixture
def newest(installed: Callable[[str], dict[str, Engine]]) -> Promtool:
    """A promtool that knows every key of a group."""
    program = installed("go")["promtool"].path

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
        )

    return run


def test_rules_that_look_at_the_past_pass_their_tests(newest: Promtool, tmp_path: Path) -> None:
    _write_late("complete", "30s", tmp_path)

    assert "query_offset: 30s" in (tmp_path / "out/alerts/prometheus/market.yml").read_text("utf-8")
    assert _judge(newest, tmp_path / "out" / "alerts") == ""


def test_objectives_that_look_at_the_past_pass_their_tests_beside_planned_downtime(
    newest: Promtool, tmp_path: Path
) -> None:
    _write_late("slo", "30s", tmp_path)

    assert _judge(newest, tmp_path / "out" / "alerts") == ""


def test_questions_that_do_not_come_later_by_the_offset_are_answered_otherwise(
    newest: Promtool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delay, "later", lambda case, *_: case)
    _write_late("mutated", "30s", tmp_path)

    assert "FAILED" in _judge(newest, tmp_path / "out" / "alerts")


def _write_late(case: str, offset: str, tmp_path: Path) -> None:
    """Write what the golden spec `case` produces where its series come so late."""
    text = (GOLDEN / case / "spec.yml").read_text(encoding="utf-8")
    interval = "  interval: 30s\n" if "telemetry: {interval: 30s}\n" in text else ""
    text = text.replace("telemetry: {interval: 30s}\n", "")
    spec = tmp_path / "spec.yml"
    spec.write_text(f"{text}\ntelemetry:\n  query_offset: {offset}\n{interval}", encoding="utf-8")
    pipeline.write(pipeline.plan([spec]), tmp_path / "out")


def test_obs_test_passes_what_is_generated_and_names_what_is_broken(
    promtool: Promtool, tmp_path: Path
) -> None:
    assert promtool("--version").returncode == 0
    pipeline.write(pipeline.plan([GOLDEN / "mutated"]), tmp_path)
    good = _obs_test(tmp_path)
    rules = tmp_path / "alerts" / "prometheus" / "shop-urgent.yml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("for: 1m", "for: 9m"), encoding="utf-8")
    broken = _obs_test(tmp_path)

    assert (good.returncode, good.stdout) == (0, "")
    assert broken.returncode == 1
    assert "FAILED" in broken.stdout
    assert "TargetDown" in broken.stdout


def _obs_test(out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "obs", "test", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
