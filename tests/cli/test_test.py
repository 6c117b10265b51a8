"""`obs test`: what it says and how it ends, with tools that do what the test tells them.

That the real ones pass on what is generated is proven in tests/engines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obs.generate import pipeline

#: A program that knows its version, writes down how it was called, and fails when a word tells it to.
_TOOL = """#!/bin/sh
case "$1" in --version) echo "{name}, version 3.9.0"; exit 0;; esac
echo "$@ GOGC=$GOGC" >> "{log}"
case "$*" in *"{fails}"*) echo "  FAILED: $*"; exit 1;; esac
echo SUCCESS
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `obs generate` writes for a service with logs."""
    specs, out = tmp_path_factory.mktemp("specs"), tmp_path_factory.mktemp("out")
    (specs / "a.yml").write_text(
        "version: obs/v1\nservice: {name: a, team: one}\ncapabilities: [http, logs]\n"
        "notify: {page: slack-a}\n",
        encoding="utf-8",
    )
    pipeline.write(pipeline.plan([specs]), out)
    return out


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `obs test` where only the given tools exist; each is told what to fail on."""

    def start(path: Path, *options: str, **tools: str) -> subprocess.CompletedProcess[str]:
        for name, fails in tools.items():
            program = tmp_path / name
            text = _TOOL.format(name=name, fails=fails or "nothing at all", log=tmp_path / "calls")
            program.write_text(text, encoding="utf-8")
            program.chmod(0o755)
        return subprocess.run(
            [sys.executable, "-m", "obs", "test", str(path), *options],
            env={
                "PATH": f"{tmp_path}:/usr/bin:/bin" if tools else str(tmp_path),
                "OBS_HOME": str(tmp_path / "home"),
                "HOME": os.environ.get("HOME", ""),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return start


def _calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text(encoding="utf-8").splitlines()


def test_a_missing_promtool_is_could_not_check(run: Run, generated: Path) -> None:
    done = run(generated)

    assert done.returncode == 3
    assert done.stderr == "error: promtool is not installed\n  hint: obs stack install promtool\n"
    assert done.stdout == ""


def test_a_missing_amtool_is_could_not_check_after_all_the_rest(run: Run, generated: Path) -> None:
    done = run(generated, promtool="")

    assert done.returncode == 3
    assert "none failed\n" in done.stderr
    assert "not checked, because amtool is not installed" in done.stderr
    assert "hint: obs stack install amtool" in done.stderr


def test_a_failure_weighs_more_than_a_missing_tool(run: Run, generated: Path) -> None:
    assert run(generated, promtool="test rules").returncode == 1


def test_everything_that_was_generated_is_judged(run: Run, generated: Path, tmp_path: Path) -> None:
    done = run(generated, promtool="", amtool="")
    calls = "\n".join(_calls(tmp_path))

    assert done.returncode == 0
    assert done.stdout == ""
    for word in ("rule files", "test files", "1 configuration", "routes", "log rules", "none failed"):
        assert word in done.stderr
    for file in sorted((generated / "alerts" / "prometheus").glob("*.yml")):
        assert str(file) in calls
    for file in sorted((generated / "alerts" / "tests").glob("*_test.yml")):
        assert str(file) in calls
    assert "check-config" in calls
    assert "--verify.receivers=slack-a" in calls
    assert "--lint-fatal" in calls
    assert all(call.endswith(" GOGC=off") for call in _calls(tmp_path))


def test_a_file_that_fails_is_named_alone(run: Run, generated: Path) -> None:
    (broken, *_) = sorted((generated / "alerts" / "tests").glob("*_test.yml"))
    done = run(generated, promtool=broken.name, amtool="")

    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("FAILED ")] == [f"FAILED {broken}"]
    assert done.stderr.rstrip().endswith("1 failed")


def test_a_route_that_fails_is_named_by_what_it_says(run: Run, generated: Path) -> None:
    done = run(generated, promtool="", amtool="severity=page team=one")

    assert done.returncode == 1
    assert "routes.yml (a page of team one, tier standard)" in done.stdout


def test_a_broken_rule_for_loki_is_named_with_its_place(run: Run, generated: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for file in sorted(generated.rglob("*.yml")):
        target = copy / file.relative_to(generated)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8")
        target.write_text(
            text.replace("count_over_time(", "count_over_tim(", 1) if "loki/a.yml" in str(file) else text,
            encoding="utf-8",
        )
    done = run(copy, promtool="", amtool="")

    assert done.returncode == 1
    assert "a.yml (LogErrorSpike)" in done.stdout
    assert "expected a function of LogQL" in done.stdout


def test_json_tells_every_result(run: Run, generated: Path) -> None:
    done = run(generated, "--format", "json", promtool="", amtool="severity=page team=one")
    data: dict[str, Any] = json.loads(done.stdout)

    assert done.returncode == 1
    assert data["unchecked"] == []
    assert {result["check"] for result in data["results"]} == {"rules", "tests", "config", "routes", "logs"}
    (failed,) = (result for result in data["results"] if not result["passed"])
    assert (failed["check"], failed["test"]) == ("routes", "a page of team one, tier standard")
    assert "FAILED" in failed["output"]


def test_json_names_what_was_not_checked(run: Run, generated: Path) -> None:
    data = json.loads(run(generated, "--format", "json", promtool="").stdout)

    assert [Path(path).name for path in data["unchecked"]] == ["alertmanager.yml", "routes.yml"]


def test_a_promtool_too_old_for_what_a_spec_asks_is_told_apart_from_a_broken_rule(
    run: Run, generated: Path, tmp_path: Path
) -> None:
    said = "line 3: field query_offset not found in type rulefmt.RuleGroup"
    old = tmp_path / "promtool"
    old.write_text(
        f'#!/bin/sh\ncase "$1" in --version) echo "promtool, version 2.42.0"; exit 0;; esac\necho "{said}"; exit 1\n',
        "utf-8",
    )
    old.chmod(0o755)
    done = run(generated, amtool="")

    assert done.returncode == 1
    assert f"{said}\n  telemetry.query_offset of the spec needs Prometheus 2.53 or newer" in done.stdout
