"""Rules of imported objectives, by the tests that are generated with them, in promtool."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.cli.main import run
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
  - name: latency
    objective: 99
    sli:
      events:
        error_query: |
          sum(rate(http_request_duration_seconds_count[{{.window}}]))
          - sum(rate(http_request_duration_seconds_bucket{le="0.5"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count[{{.window}}]))
  - name: orders
    objective: 95
    sli: {raw: {error_ratio_query: "sum(rate(failed_total[{{.window}}])) / sum(rate(orders_total[{{.window}}]))"}}
  - name: work
    objective: 95
    sli:
      raw:
        error_ratio_query: >-
          1 - (sum(rate(jobs_total{result!~"failed|lost"}[{{.window}}])) / sum(rate(jobs_total[{{.window}}])))
"""


def test_imported_objectives_burn_as_their_generated_tests_say(
    installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    assert installed("debian")
    (tmp_path / "sloth.yml").write_text(SLOTH, encoding="utf-8")
    spec, out = tmp_path / "shop.yml", tmp_path / "out"
    assert run(["spec", "import", str(tmp_path / "sloth.yml"), "--out", str(spec)]) == 0
    assert run(["generate", str(spec), "--out", str(out)]) == 0

    done = subprocess.run(
        [sys.executable, "-m", "obs", "test", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout + done.stderr
