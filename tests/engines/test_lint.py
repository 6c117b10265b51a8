"""What the linter says and repairs, judged by the real promtool and a real Prometheus."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from obs.stack.engine import Engine
from obs.stack.ports import free

pytestmark = pytest.mark.engines

_USERS = Path(__file__).parents[1] / "lint" / "users" / "rules.yml"
#: Errors and answers a minute of three services: 5 errors a second out of 1,000, 6 % and 4 % of a quiet one's.
_CASES = """\
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'http_requests_total{job="busy", status="500"}', values: "0+300x20"}
      - {series: 'http_requests_total{job="busy", status="200"}', values: "0+59700x20"}
      - {series: 'http_requests_total{job="quiet", status="503", instance="a"}', values: "0+6x20"}
      - {series: 'http_requests_total{job="quiet", status="200", instance="b"}', values: "0+94x20"}
      - {series: 'http_requests_total{job="fine", status="500"}', values: "0+4x20"}
      - {series: 'http_requests_total{job="fine", status="200"}', values: "0+96x20"}
    alert_rule_test:
      - eval_time: 15m
        alertname: HighErrorRate
        exp_alerts:
          - exp_labels: {job: quiet, severity: critical}
            exp_annotations:
              summary: "Error rate > 5%"
              description: "The API answers with errors."
              runbook_url: "https://wiki.example.com/runbooks/high-error-rate"
"""


def _obs(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "obs", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("route", ["debian", "go"])
def test_the_users_rules_are_refused_before_and_mean_what_they_say_after_the_repair(
    route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    promtool = str(installed(route)["promtool"].path)

    def judge(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [promtool, *arguments], capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path
        )

    rules = tmp_path / "rules.yml"
    shutil.copy(_USERS, rules)
    (tmp_path / "rules_test.yml").write_text(_CASES, encoding="utf-8")

    before = judge("check", "rules", "rules.yml")
    repaired = _obs("lint", rules, "--fix")
    after = judge("check", "rules", "--lint-fatal", "rules.yml")
    tested = judge("test", "rules", "rules_test.yml")

    assert before.returncode != 0
    assert "severity" in before.stdout + before.stderr
    assert "repaired" in repaired.stderr
    assert after.returncode == 0, after.stdout + after.stderr
    assert tested.returncode == 0, tested.stdout + tested.stderr


_FOREIGN = Path(__file__).parents[1] / "lint" / "foreign"


@pytest.mark.parametrize("route", ["debian", "go"])
def test_rules_that_others_wrote_pass_promtool_with_every_lint_fatal_after_the_repair(
    route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    promtool = str(installed(route)["promtool"].path)
    for file in [_USERS, *sorted((_FOREIGN / "handwritten").glob("*.yml"))]:
        shutil.copy(file, tmp_path / file.name)
    for kind in ("planted", "sound"):
        # promtool reads no object of Kubernetes: what stands under its spec is a rule file.
        rules = yaml.safe_load((_FOREIGN / kind / "rules" / "checkout.yaml").read_text(encoding="utf-8"))
        (tmp_path / f"{kind}.yml").write_text(yaml.dump(rules["spec"], sort_keys=False), encoding="utf-8")
    files = [path.name for path in sorted(tmp_path.iterdir())]

    def judge() -> subprocess.CompletedProcess[str]:
        command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", *files]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path)

    before = judge()
    repaired = _obs("lint", tmp_path, "--fix")
    after = judge()

    assert before.returncode != 0
    assert "repaired" in repaired.stderr
    assert after.returncode == 0, after.stdout + after.stderr


_RULES = """\
groups:
  - name: live
    rules:
      - {record: "job:up:sum", expr: "sum by (job) (up)"}
      - {record: "job:nothing:rate5m", expr: "sum by (job) (rate(nobody_emits_this_total[5m]))"}
      - {record: "job:other:sum", expr: 'sum by (job) (up{job="nobody"})'}
      - {record: "job:goroutines:avg5m", expr: "sum by (job) (rate(go_goroutines[5m])) or sum by (job) (up)"}
"""


def test_a_server_tells_what_no_file_can(start_stack: Callable[..., object], tmp_path: Path) -> None:
    stack = start_stack()
    url = str(stack.prometheus)  # type: ignore[attr-defined]
    stack.await_result("go_goroutines")  # type: ignore[attr-defined]
    rules = tmp_path / "rules.yml"
    rules.write_text(_RULES, encoding="utf-8")

    told = _obs("lint", rules, "--live", url).stdout
    lines = [line for line in told.splitlines() if line.startswith(str(rules))]
    found = {(int(line.split(":")[1]), line.rpartition("[")[2].rstrip("]")) for line in lines}

    assert {one for one in found if one[1].startswith("live-")} == {
        (5, "live-series-missing"),
        (5, "live-query-empty"),
        (6, "live-query-empty"),
        (7, "live-wrong-type"),
    }


def test_a_server_that_is_absent_is_no_clean_run(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(_RULES, encoding="utf-8")

    done = _obs("lint", rules, "--live", f"http://127.0.0.1:{free()}")

    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
