"""What is committed is what the specs say: any edit by hand, or of what a file is made of, is seen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from obs.cli.main import run

_ROOT = Path(__file__).parents[2]
_GENERATED = ("alerts", "dashboards", "runbooks", "specs")

#: What is broken -> (file, text that stands there, text put in its place).
EDITS = {
    "a threshold in a rule": ("alerts/prometheus/payments-urgent.yml", "0.05", "0.06"),
    "a metric in a rule": ("alerts/prometheus/payments.yml", "_duration_seconds_count{", "_duration_count{"),
    "a label in a rule": ("alerts/prometheus/payments.yml", "category: http", "category: web"),
    "a test of a rule": ("alerts/tests/payments_test.yml", "eval_time", "eval_at"),
    "a route": ("alerts/alertmanager.yml", "receiver: webhook-shop-page", "receiver: nobody"),
    "a panel": ("dashboards/shop/payments.json", '"unit": "reqps"', '"unit": "short"'),
    "a runbook's generated part": ("runbooks/payments/HttpErrorRatioHigh.md", "## Impact", "## Effect"),
    "a threshold in a spec": ("specs/shop/payments.yml", "threshold: 0.5", "threshold: 0.75"),
}


#: Tells what `obs generate --check` says in a folder, and its exit code.
Check: TypeAlias = Callable[[Path], "tuple[int, str]"]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    def judge(folder: Path) -> tuple[int, str]:
        monkeypatch.chdir(folder)
        code = run(["generate", "specs/shop", "specs/stack", "--check"])
        return code, capsys.readouterr().out

    return judge


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in _GENERATED:
        shutil.copytree(_ROOT / name, tmp_path / name)
    return tmp_path


def test_the_committed_artefacts_are_what_the_specs_say(check: Check) -> None:
    code, said = check(_ROOT)

    assert code == 0, said


def test_the_committed_reference_pages_are_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(_ROOT / "docs" / "render_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_by_hand_is_drift(what: str, copy: Path, check: Check) -> None:
    name, old, new = EDITS[what]
    text = (copy / name).read_text(encoding="utf-8")
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    code, said = check(copy)

    assert code == 1
    assert (name if not name.startswith("specs") else "alerts/prometheus/payments.yml") in said


def test_a_missing_runbook_is_drift(copy: Path, check: Check) -> None:
    (copy / "runbooks" / "payments" / "TargetDown.md").unlink()

    code, said = check(copy)

    assert code == 1
    assert "runbooks/payments/TargetDown.md" in said


def test_words_that_people_write_into_a_runbook_are_no_drift(copy: Path, check: Check) -> None:
    page = copy / "runbooks" / "payments" / "TargetDown.md"
    page.write_text(
        page.read_text(encoding="utf-8") + "\n## Last time\n\nThe switch in rack 4.\n", encoding="utf-8"
    )

    assert check(copy)[0] == 0
