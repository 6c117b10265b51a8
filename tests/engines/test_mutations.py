"""Rules that someone broke turn promtool red: the tests must see each of these.

The table is frozen: it names what stands in a rule file and what a mistake would make of it, so it
cannot follow the code that writes the rules.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.generate import pipeline
from obs.generate.output.packed import Produced
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

SPEC = Path(__file__).parents[1] / "golden" / "mutated"

#: (rule file, alert or record, what stands there, what a mistake makes of it).
MUTATIONS: tuple[tuple[str, str, str, str], ...] = (
    ("shop-urgent", "HttpErrorRatioHigh", r"\b0\.05\b", "0.06"),
    ("shop-urgent", "HttpErrorRatioHigh", r"\b0\.05\b", "0.04"),
    ("shop-urgent", "HttpErrorRatioHigh", r"\b5m\b", "19m"),
    ("shop-urgent", "HttpErrorRatioHigh", r"\b5m\b", "2m"),
    ("shop-urgent", "HttpErrorRatioHigh", r"for: 5m", "for: 3m"),
    ("shop-urgent", "HttpErrorRatioHigh", r"for: 5m", "for: 10m"),
    ("shop-urgent", "HttpErrorRatioHigh", r"5\.\.", "4.."),
    ("shop-urgent", "HttpErrorRatioHigh", r"\n( +)3\n", r"\n\g<1>4\n"),
    ("shop-urgent", "HttpErrorRatioHigh", r"\n( +)3\n", r"\n\g<1>2\n"),
    ("shop-urgent", "HttpErrorRatioHigh", r"service, environment", "service"),
    ("shop-urgent", "HttpErrorRatioHigh", r"severity: page", "severity: ticket"),
    ("shop-urgent", "HttpErrorRatioHigh", r"request_duration_seconds_count", "request_duration_count"),
    ("shop-urgent", "HttpErrorRatioHigh", r"\bunless\b", "and"),
    ("shop", "HttpErrorRatioElevated", r"\b0\.01\b", "0.011"),
    ("shop", "HttpErrorRatioElevated", r"\b15m\b", "14m"),
    ("shop", "HttpErrorRatioElevated", r"\b15m\b", "5m"),
    ("shop", "HttpErrorRatioElevated", r"for: 15m", "for: 10m"),
    ("shop", "HttpLatencyP99High", r"0\.99", "0.95"),
    ("shop", "HttpLatencyP99High", r"0\.99", "0.999"),
    ("shop", "HttpLatencyP99High", r">\n( +)1\n", r">\n\g<1>1.1\n"),
    ("shop", "HttpLatencyP99High", r">\n( +)1\n", r">\n\g<1>0.9\n"),
    ("shop", "HttpLatencyP99High", r"for: 10m", "for: 5m"),
    ("shop", "HttpLatencyP99High", r"\[5m\]", "[14m]"),
    ("shop", "HttpLatencyP99High", r"\n( +)3\n", r"\n\g<1>5\n"),
    ("shop", "HttpLatencyP99High", r"environment, le", "environment"),
    ("shop-slow-http", "HttpTrafficDropped", r"0\.5\b", "0.4"),
    ("shop-slow-http", "HttpTrafficDropped", r"0\.5\b", "0.6"),
    ("shop-slow-http", "HttpTrafficDropped", r"offset 1d", "offset 12h"),
    ("shop-slow-http", "HttpTrafficDropped", r"0\.1\b", "0.2"),
    ("shop-slow-http", "HttpTrafficDropped", r"0\.1\b", "0.01"),
    ("shop-slow-http", "HttpTrafficDropped", r"\bor\b", "and"),
    ("shop-slow-http", "HttpTrafficDropped", r"for: 15m", "for: 5m"),
    ("shop", "ProcessCpuHigh", r"0\.8\b", "0.85"),
    ("shop", "ProcessCpuHigh", r"0\.8\b", "0.75"),
    ("shop", "ProcessCpuHigh", r"for: 15m", "for: 5m"),
    ("shop", "ProcessCpuHigh", r"\[5m\]", "[15m]"),
    ("shop", "ProcessCpuHigh", r"sum by", "max by"),
    ("shop", "ProcessCpuHigh", r"process_cpu_limit", "process_max_fds"),
    ("shop", "ProcessMemoryHigh", r"0\.9\b", "0.95"),
    ("shop", "ProcessMemoryHigh", r"0\.9\b", "0.85"),
    ("shop", "ProcessMemoryHigh", r"for: 10m", "for: 5m"),
    ("shop", "ProcessMemoryHigh", r"category: process", "category: http"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"\b0\.1\b", "0.2"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"\b0\.1\b", "0.09"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"failure", "failed"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"environment, job_name", "environment"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"\[1h\]\)", "[10m])"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"for: 5m", "for: 15m"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"\band on\b", "unless on"),
    ("shop-slow-jobs", "JobFailureRatioHigh", r"(up\{[^}]*\}\[1h\]) offset 1h", r"\g<1>"),
    ("shop-job-nightly", "JobNotRunning", r"93600", "86400"),
    ("shop-job-nightly", "JobNotRunning", r"93600", "100000"),
    ("shop-job-nightly", "JobNotRunning", r"\[2d4h\]", "[1h]"),
    ("shop-job-nightly", "JobNotRunning", r"\bor\b", "and"),
    ("shop-job-nightly", "JobNotRunning", r"offset 1d2h", "offset 2h"),
    ("shop-job-nightly", "JobNotRunning", r'job_name="nightly"', 'job_name="weekly"'),
    ("shop-job-nightly", "JobNotRunning", r"job_runs_total", "job_active_runs"),
    ("shop-job-nightly", "JobNotRunning", r"\[1d2h\] offset 1d2h", "[1h] offset 1h"),
    ("shop-urgent", "TargetDown", r"== 0", "== 1"),
    ("shop-urgent", "TargetDown", r"for: 1m", "for: 5m"),
    ("shop-urgent", "TargetDown", r"\bunless\b", "and"),
    ("shop-urgent", "TargetDown", r"absent_over_time\(", "absent_over_time(no_"),
    ("shop-urgent", "TargetDown", r"environment, instance", "environment"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"0\.0144", "0.02"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"0\.0144", "0.01"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"0\.006\b", "0.009"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"0\.006\b", "0.005"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"rate5m", "rate6h"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"rate5m", "rate30m"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"rate30m", "rate2h"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"rate30m", "rate5m"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"rate1h", "rate6h"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"rate6h", "rate1h"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"\[6h\]", "[1h]"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"\bor\b", "and"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"\n( +)3\n", r"\n\g<1>30\n"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"\n( +)3\n", r"\n\g<1>2\n"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"\n( +)3\n", r"\n\g<1>4\n"),
    ("shop-slo-availability", "ErrorBudgetBurnFast", r"severity: page", "severity: ticket"),
    ("shop-slo-availability", "SliMetricAbsent", r"for: 30m", "for: 2h"),
    ("shop-slo-availability", "SliMetricAbsent", r"for: 30m", "for: 10m"),
    ("shop-slo-availability", "SliMetricAbsent", r"\bunless\b", "and"),
    ("shop-slo-availability", "SliMetricAbsent", r"\[6h\]", "[4h]"),
    ("shop-slo-availability", "SliMetricAbsent", r"\[6h\]", "[7h]"),
    ("shop-slo-availability", "SliMetricAbsent", r"offset 6h", "offset 4h"),
    ("shop-slo-availability", "SliMetricAbsent", r"== 1", "== 0"),
    ("shop-slo-availability", "slo:sli_bad_events:increase1m", r"5\.\.", "4.."),
    ("shop-slo-availability", "slo:sli_bad_events:increase1m", r"\band on\b", "unless on"),
    ("shop-slo-availability", "slo:sli_bad_events:increase1m", r"sum by", "max by"),
    ("shop-slo-availability", "slo:sli_events:increase1m", r"sum by", "max by"),
    ("shop-slo-availability", "slo:sli_events:increase1m", r"sum by", "count by"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate5m", r"\[5m\]", "[30m]"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate30m", r"\[30m\]", "[5m]"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate30m", r"\[30m\]", "[2h]"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate1h", r"\[1h\]", "[3h]"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate1h", r"\[1h\]", "[30m]"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate6h", r"\[6h\]", "[2h]"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate6h", r"\[6h\]", "[1d]"),
    ("shop-slo-availability", "slo:sli_error:ratio_rate6h", r"sli_bad_events", "sli_events"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"0\.003\b", "0.005"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"0\.003\b", "0.002"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"0\.001\b", "0.0015"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"0\.001\b", "0.0009"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"rate1d", "rate3d"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"rate2h", "rate6h"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"rate6h", "rate2h"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"\n( +)3\n", r"\n\g<1>4\n"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"\n( +)3\n", r"\n\g<1>2\n"),
    ("shop-slo-availability-slow", "ErrorBudgetBurnSlow", r"\[3d\]", "[1d]"),
    ("shop-slo-availability-slow", "slo:sli_error:ratio_rate2h", r"\[2h\]", "[6h]"),
    ("shop-slo-availability-slow", "slo:sli_error:ratio_rate1d", r"\[1d\]", "[6h]"),
    ("shop-slo-availability-slow", "slo:sli_error:ratio_rate1d", r"\[1d\]", "[2d]"),
    ("shop-slo-availability-slow", "slo:sli_error:ratio_rate3d", r"\[3d\]", "[1d]"),
    ("shop-slo-availability-slow", "slo:sli_error:ratio_rate3d", r"\[3d\]", "[2d]"),
    ("shop-slo-availability-slow", "slo:sli_bad_events:increase4m", r"sli_bad_events", "sli_events"),
    ("shop-slo-availability-slow", "slo:sli_events:increase4m", r"\[4m\]", "[1d]"),
    ("shop-slo-availability-budget", "ErrorBudgetExhausted", r"<=\n( +)0\n", r"<=\n\g<1>0.05\n"),
    ("shop-slo-availability-budget", "ErrorBudgetExhausted", r"<=\n( +)0\n", r"<=\n\g<1>-0.3\n"),
    ("shop-slo-availability-budget", "ErrorBudgetExhausted", r"\n( +)3\n", r"\n\g<1>4\n"),
    ("shop-slo-availability-budget", "ErrorBudgetExhausted", r"\n( +)3\n", r"\n\g<1>2\n"),
    ("shop-slo-availability-budget", "ErrorBudgetExhausted", r"for: 5m", "for: 25m"),
    ("shop-slo-availability-budget", "slo:sli_error:ratio_rate30d", r"sli_bad_events", "sli_events"),
    ("shop-slo-availability-budget", "slo:sli_bad_events:increase30d", r"\[30d\]", "[30m]"),
    ("shop-slo-availability-budget", "slo:period_burn_rate:ratio", r"0\.001\b", "0.002"),
    ("shop-slo-availability-budget", "slo:period_burn_rate:ratio", r"ratio_rate30d", "ratio_rate3d"),
    ("shop-slo-availability-budget", "slo:period_error_budget_remaining:ratio", r"1\n", "2\n"),
    ("shop-slo-routes", "slo:sli_events:increase1m", r", http_route\b", ""),
    ("shop-slo-routes", "slo:sli_bad_events:increase1m", r"5\.\.", "4.."),
    ("shop-slo-routes", "slo:sli_bad_events:increase1m", r"HEAD\|OPTIONS", "HEAD"),
    ("shop-slo-routes", "slo:sli_bad_events:increase1m", r"HEAD\|OPTIONS", "OPTIONS"),
    ("shop-slo-routes", "slo:sli_bad_events:increase1m", r"429\|", ""),
    ("shop-slo-routes-budget", "SloGroupsTooMany", r"\n( +)4\n", r"\n\g<1>5\n"),
    ("shop-slo-routes-budget", "SloGroupsTooMany", r"\n( +)4\n", r"\n\g<1>3\n"),
    ("shop-slo-routes-budget", "SloGroupsTooMany", r"for: 15m", "for: 1h"),
    ("shop-slo-settled", "slo:sli_bad_events:increase1m", r"93600", "86400"),
    ("shop-slo-settled", "slo:sli_bad_events:increase1m", r"93600", "93700"),
    ("shop-slo-settled", "slo:sli_bad_events:increase1m", r"\[2d4h\]", "[5m]"),
    ("shop-slo-settled", "slo:sli_bad_events:increase1m", r'="nightly"', '="weekly"'),
    ("shop-slo-settled-slow", "SliMetricAbsent", r"offset 2d4h", "offset 6h"),
)


@pytest.fixture(scope="module")
def promtool(installed: Callable[[str], dict[str, Engine]]) -> Path:
    return installed("go")["promtool"].path


@pytest.fixture(scope="module")
def artefacts() -> list[Produced]:
    return pipeline.plan([SPEC])


@pytest.mark.parametrize(("stem", "name", "right", "wrong"), MUTATIONS)
def test_a_broken_rule_turns_promtool_red(  # noqa: PLR0917 - pytest passes by name
    stem: str, name: str, right: str, wrong: str, promtool: Path, artefacts: list[Produced], tmp_path: Path
) -> None:
    pipeline.write(artefacts, tmp_path)
    file = tmp_path / "alerts" / "prometheus" / f"{stem}.yml"
    file.write_text(_mutate(file.read_text(encoding="utf-8"), name, right, wrong), encoding="utf-8")

    tests = [
        test for test in _tests_of(stem, tmp_path) if ":" in name or f'alertname=\\"{name}\\"' in _text(test)
    ]
    done = subprocess.run(
        [str(promtool), "test", "rules", *map(str, tests)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode != 0, "no test noticed"


def _tests_of(stem: str, out: Path) -> list[Path]:
    """Return the test files of a rule file."""
    every = sorted((out / "alerts" / "tests").glob(f"{stem}*_test.yml"))
    return [test for test in every if f"prometheus/{stem}.yml" in _text(test)]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _mutate(text: str, name: str, right: str, wrong: str) -> str:
    """Return the rule file with every match inside the rule `name` replaced."""
    start = re.search(rf'- (?:alert|record): "?{re.escape(name)}"?\n', text)
    assert start is not None, f"no rule {name}"
    following = re.search(r"\n +- (?:alert|record|name): ", text[start.end() :])
    end = start.end() + following.start() if following else len(text)
    rule, count = re.subn(right, wrong, text[start.start() : end])
    assert count, f"{right} is not in {name}"
    return text[: start.start()] + rule + text[end:]
