"""A `for` that is a minute shorter, or longer, turns promtool red: of every committed alert that waits.

All waits are changed at once. promtool asks every question, and what fails names its alert, so one run
judges them all.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.cli.judges import SHORT_LIVED
from obs.generate.model import Duration
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

ALERTS = Path(__file__).parents[2] / "alerts"
MINUTE = 60_000
_RULE = re.compile(r"- alert: (?P<alert>\S+)\n(?:(?! +- alert:).*\n)*? +for: (?P<wait>\S+)\n")
_DECLARED = re.compile(r"# 'for' is not told to a minute of ([^:]+):")

#: (stem of the rule file, alert).
Waiting = set[tuple[str, str]]


def _changed(by: int, out: Path) -> Waiting:
    """Write the rules with each wait of two minutes or more longer by so many milliseconds; return whose."""
    found: Waiting = set()
    (out / "prometheus").mkdir()

    for file in sorted((ALERTS / "prometheus").glob("*.yml")):

        def other(rule: re.Match[str], stem: str = file.stem) -> str:
            wait = Duration.parse(rule["wait"])
            if wait.milliseconds < 2 * MINUTE:
                return rule[0]
            found.add((stem, rule["alert"]))
            return rule[0].replace(f"for: {wait}\n", f"for: {Duration(wait.milliseconds + by)}\n")

        text = _RULE.sub(other, file.read_text(encoding="utf-8"))
        (out / "prometheus" / file.name).write_text(text, encoding="utf-8")
    return found


def _noticed(program: Path, out: Path) -> tuple[Waiting, Waiting]:
    """Return the alerts that a failed question names, and those whose test file declares that it cannot tell."""
    failed: Waiting = set()
    declared: Waiting = set()
    (out / "tests").mkdir()
    stems: dict[str, str] = {}
    for test in sorted((ALERTS / "tests").glob("*_test.yml")):
        text = test.read_text(encoding="utf-8")
        (out / "tests" / test.name).write_text(text, encoding="utf-8")
        (of,) = re.findall(r'"\.\./prometheus/(.+)\.yml"', text)
        stems[test.name] = of
        for names in _DECLARED.findall(text):
            declared |= {(of, name) for name in names.split(", ")}
    done = subprocess.run(
        [str(program), "test", "rules", *stems],
        cwd=out / "tests",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
        env={**SHORT_LIVED, **os.environ},
    )
    assert done.returncode == 1, done.stdout
    # One verdict a file, in the order in which they were named; the first part is before them all.
    _, *verdicts = re.split(r"^  (?:SUCCESS|FAILED:)$", done.stdout, flags=re.MULTILINE)
    for of, verdict in zip(stems.values(), verdicts, strict=True):
        failed |= {(of, name) for name in re.findall(r'alertname=\\?"(\w+)', verdict)}
    return failed, declared


@pytest.mark.parametrize("by", [-MINUTE, MINUTE], ids=["shorter", "longer"])
def test_a_wait_of_another_minute_is_noticed_of_every_alert_or_said_not_to_be(
    by: int, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    waiting = _changed(by, tmp_path)
    failed, declared = _noticed(installed("go")["promtool"].path, tmp_path)

    assert len(waiting) > 50
    assert waiting - failed == declared
    assert {name for _, name in declared} == {"ErrorBudgetExhausted", "SliMetricAbsent"}
