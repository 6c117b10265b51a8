"""Alerts of every capability that someone broke turn promtool red.

The table is frozen, as in `test_mutations`: it names what stands in a rule and what a mistake would
make of it. Each alert is judged alone, by its own tests, which takes a fraction of a second.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import promql_parser
import pytest
import yaml

from obs.generate.derive.rules import rule_files
from obs.generate.model import RuleFile
from obs.generate.render import prometheus, promtool
from obs.generate.spec.load import load
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

GOLDEN = Path(__file__).parents[1] / "golden"
#: Specs that together bring every alert.
COMPLETE = (GOLDEN / "complete", GOLDEN / "platform", Path(__file__).parents[2] / "specs/stack")
#: A number that stands alone in its line, as the last operand of a comparison does.
ALONE = r"\n( +){}\n"

#: Alert -> (what stands there, what a mistake makes of it).
MUTATIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "HttpInFlightSaturated": (
        (r"> 200\b", "> 205"), (r"> 200\b", "> 195"), ("sum by", "max by"),
        ("environment, instance", "environment"), ("for: 5m", "for: 2m"), ("for: 5m", "for: 10m"),
    ),
    "PrivilegeDeniedSpike": (
        (ALONE.format(600), r"\n\g<1>660\n"), (ALONE.format(600), r"\n\g<1>540\n"), (r"\[10m\]", "[5m]"),
        (r"\[10m\]", "[20m]"), (r"\bunless\b", "and"), ('="403"', '="404"'), (r'http_response_status_code="403",', ""),
        ("for: 15m", "for: 10m"),
    ),
    "HttpClientErrorRatioHigh": (
        (r"\b0\.1\b", "0.11"), (r"\b0\.1\b", "0.09"), (r"\[5m\]", "[2m]"), (r"\[5m\]", "[8m]"),
        (ALONE.format(3), r"\n\g<1>4\n"), (ALONE.format(3), r"\n\g<1>2\n"), (r"\bunless\b", "and"),
        (r'error_type!=""', r'error_type=""'), ("environment, server_address", "environment"), ("for: 10m", "for: 5m"),
    ),
    "DependencyTimeouts": (
        (ALONE.format(30), r"\n\g<1>32\n"), (ALONE.format(30), r"\n\g<1>28\n"), (r"\[Tt\]imeout", "Abort"),
        (r'error_type=~"[^"]*",', ""), (r"\[5m\]", "[2m]"), (r"\bunless\b", "and"), ("for: 10m", "for: 5m"),
    ),
    "GrpcErrorRatioHigh": (
        (r"\b0\.05\b", "0.06"), (r"\b0\.05\b", "0.04"), (r"INTERNAL\|", ""), (r"UNKNOWN", "UNKNOWN|NOT_FOUND"),
        (ALONE.format(3), r"\n\g<1>4\n"), (ALONE.format(3), r"\n\g<1>2\n"), ("environment, rpc_method", "environment"),
        (r"\bunless\b", "and"), ("severity: page", "severity: ticket"), ("for: 5m", "for: 3m"),
    ),
    "GrpcLatencyP99High": (
        (r"0\.99", "0.95"), (r">\n( +)1\n", r">\n\g<1>1.1\n"), (r">\n( +)1\n", r">\n\g<1>0.9\n"),
        (ALONE.format(3), r"\n\g<1>5\n"), (r"rpc_method, le", "le"), (r"\[5m\]", "[12m]"), ("for: 10m", "for: 5m"),
    ),
    "WebsocketFailureRatioHigh": (
        (r"\b0\.05\b", "0.06"), (r"\b0\.05\b", "0.04"), ('="failed"', '="refused"'), (r"\[15m\]", "[5m]"),
        (r"\bunless\b", "and"), (ALONE.format(3), r"\n\g<1>4\n"), ("for: 10m", "for: 20m"),
    ),
    "DbQueryLatencyP95High": (
        (r"0\.95", "0.99"), (r"0\.95", "0.9"), (r">\n( +)0\.1\n", r">\n\g<1>0.12\n"), (r">\n( +)0\.1\n", r">\n\g<1>0.09\n"),
        (r"db_system_name, le", "le"), (ALONE.format(3), r"\n\g<1>5\n"), (r"\[5m\]", "[12m]"), ("for: 10m", "for: 5m"),
    ),
    "DbQueryErrorRatioHigh": (
        (r"\b0\.05\b", "0.06"), (r"\b0\.05\b", "0.04"), (r'error_type!=""', r'error_type=""'), (r"\bunless\b", "and"),
        (ALONE.format(3), r"\n\g<1>2\n"), ("environment, db_system_name", "environment"), ("for: 5m", "for: 10m"),
    ),
    "DbSlowQueries": (
        (r">\n( +)10\n", r">\n\g<1>11\n"), (r">\n( +)10\n", r">\n\g<1>9\n"), (r"\[10m\]", "[5m]"), (r"\[10m\]", "[20m]"),
        (r"\bunless\b", "and"), ("environment, db_system_name", "environment"),
    ),
    "DbPoolNearlyExhausted": (
        (r"\b0\.8\b", "0.82"), (r"\b0\.8\b", "0.78"), ("connections_used", "connection_pending_requests"),
        ("instance, db_client", "db_client"), ("for: 5m", "for: 2m"), ("category: database", "category: http"),
    ),
    "DbPoolWaiting": (
        (ALONE.format(5), r"\n\g<1>6\n"), (ALONE.format(5), r"\n\g<1>4\n"), ("for: 5m", "for: 9m"), ("instance, ", ""),
    ),
    "DbPoolTimeouts": (
        (r">\n( +)0\n", r">\n\g<1>99\n"), (r">\n( +)0\n", r">=\n\g<1>0\n"), (r"\[5m\]", "[15m]"), (r"\bunless\b", "and"),
        ("for: 5m", "for: 2m"), ("severity: page", "severity: ticket"),
    ),
    "CacheHitRatioLow": (
        (r"\b0\.7\b", "0.71"), (r"\b0\.7\b", "0.68"), (ALONE.format(100), r"\n\g<1>120\n"), (ALONE.format(100), r"\n\g<1>80\n"),
        (r"\bor\n( +)0\n", r"and\n\g<1>0\n"), ("cache_misses_total", "cache_evictions_total"), ("for: 30m", "for: 15m"),
    ),
    "CacheErrors": (
        (r"\b0\.05\b", "0.06"), (r"\b0\.05\b", "0.04"), (r"\|redis", ""), (r"\bunless\b", "and"), ("for: 5m", "for: 3m"),
    ),
    "CacheEvictionStorm": (
        (r"\[10m\]", "[40m]"), ("offset 1d", "offset 12h"), (r"\bor\b", "and"), ("for: 15m", "for: 5m"),
        (r">\n( +)10\n", r">\n\g<1>5\n"), (r"\b10\n( +)\*", r"12\n\g<1>*"),
    ),
    "QueueBacklogGrowing": (
        (r"> 1000\b", "> 1100"), (r"> 1000\b", "> 950"), (r"\[15m\]", "[5m]"),
        (r">\n( +)0\n", r">=\n\g<1>0\n"), (r"\band\b", "or"), ("for: 15m", "for: 10m"),
        ("environment, messaging_destination_name", "environment"),
    ),
    "QueueOldestMessageStale": (
        (ALONE.format(300), r"\n\g<1>310\n"), (ALONE.format(300), r"\n\g<1>290\n"), ("for: 5m", "for: 2m"),
        ("severity: page", "severity: ticket"),
    ),
    "DeadLetterNotEmpty": (
        (r"\bunless\b", "and"), (r"\[15m\]", "[5m]"), (r"\[15m\]", "[30m]"), (r">\n( +)0\n", r">=\n\g<1>0\n"),
        (r">\n( +)0\n", r">\n\g<1>1\n"),
    ),
    "MessageProcessingSlow": (
        (r"0\.95", "0.99"), (r">\n( +)30\n", r">\n\g<1>33\n"), (r">\n( +)30\n", r">\n\g<1>28\n"), (r"\[10m\]", "[25m]"),
        ("for: 15m", "for: 10m"),
    ),
    "TaskFailureRatioHigh": (
        (r"\b0\.1\b", "0.11"), (r"\b0\.1\b", "0.09"), (r"failure\|", ""), (r"\bunless\b", "and"), (r"\[15m\]", "[14m]"),
        ("for: 10m", "for: 5m"), ("environment, task_name", "environment"),
    ),
    "TaskWaitsLong": (
        (r"0\.95", "0.9"), (r">\n( +)60\n", r">\n\g<1>70\n"), (r">\n( +)60\n", r">\n\g<1>55\n"), (ALONE.format(3), r"\n\g<1>6\n"),
        ("for: 10m", "for: 20m"),
    ),
    "CircuitBreakerOpen": (
        (r"\|half_open", ""), (r"open\|half_open", "closed"), (ALONE.format(1), r"\n\g<1>2\n"), ("for: 1m", "for: 3m"),
        ("environment, target", "environment"), ("severity: page", "severity: ticket"),
    ),
    "CircuitBreakerFlapping": (
        (ALONE.format(3), r"\n\g<1>4\n"), (ALONE.format(3), r"\n\g<1>2\n"), (r"\[30m\]", "[15m]"), (r"\[30m\]", "[1h]"),
        ('to="open"', 'to="closed"'), (',to="open"', ""), (r"\bunless\b", "and"),
    ),
    "RetryStorm": (
        (r"\b0\.2\b", "0.22"), (r"\b0\.2\b", "0.19"), (ALONE.format(10), r"\n\g<1>11\n"), (ALONE.format(10), r"\n\g<1>8\n"),
        (r"\bunless\b", "and"), ("client_retries_total", "client_calls_total"), ("for: 10m", "for: 5m"),
    ),
    "UnhandledExceptions": (
        (r"\|thread", ""), (r'mechanism=~"[^"]*",', ""), (r"\bunless\b", "and"), (r"\[15m\]", "[5m]"),
        (r">\n( +)0\n", r">\n\g<1>1\n"),
    ),
    "FileDescriptorsNearLimit": (
        (r"\b0\.8\b", "0.82"), (r"\b0\.8\b", "0.78"), ("process_max_fds", "process_open_fds"), ("for: 10m", "for: 5m"),
    ),
    "ProcessRestarting": (
        (ALONE.format(2), r"\n\g<1>3\n"), (ALONE.format(2), r"\n\g<1>1\n"), (r"\[15m\]", "[5m]"), (r"\[15m\]", "[30m]"),
        ("environment, instance", "environment"), ("changes", "resets"),
    ),
    "EventLoopLagHigh": (
        (r"\b0\.25\b", "0.26"), (r"\b0\.25\b", "0.24"), ("for: 10m", "for: 5m"), ("environment, instance", "environment"),
    ),
    "SdkSpansDropped": (
        (r"queue_full\|", ""), (r'reason=~"[^"]*",', ""), (r"\bunless\b", "and"), (r"\[10m\]", "[30m]"), ("for: 10m", "for: 2m"),
    ),
    "SdkExportFailing": (
        ("obs_logs_dropped_total", "obs_spans_dropped_total"), (r"\bor\n( +)sum", r"and\n\g<1>sum"),
        ("export_failed", "rejected"), (r'reason="[^"]*",', ""), (r"\bunless\b", "and"),
    ),
    "JobNotDeclared": (
        (r"\bunless\b", "and"), ("== 1", "== 0"), (r"\[15m\]\)", "[2h])"), ("offset 15m", "offset 1h"), ("job_runs_total", "job_active_runs"),
        ("severity: ticket", "severity: page"),
    ),
    "JobNotRunning": (
        (r"\b900\b", "800"), (r"\b900\b", "1000"), (r"\[30m\]", "[5m]"), (r"\bor\b", "and"), ("offset 15m", "offset 5m"),
        ("job_runs_total", "job_active_runs"), (r"\bunless\b", "and"), ('job_name="payout"', 'job_name="payouts"'),
    ),
}  # fmt: skip

#: The same for alerts on the platform, on money and on attacks, which other specs bring.
PLATFORM: dict[str, tuple[tuple[str, str], ...]] = {
    "CertificateExpiresSoon": ((r"\b1209600\b", "1123200"), (r"\b1209600\b", "1300000"), ("for: 1h", "for: 20m")),
    "CertificateExpiresVerySoon": ((r"\b259200\b", "1209600"), ("environment, instance", "environment"), ("for: 10m", "for: 30m")),
    "EndpointProbeFailing": (
        (r"\b0\.5\b", "0.6"), (r"\b0\.5\b", "0.4"), (r"\[5m\]", "[2m]"), (r"\[5m\]", "[10m]"), ("for: 2m", "for: 1m"),
        ("for: 2m", "for: 3m"), (r"\bor\b", "and"), (r"\bunless\b", "and"),
    ),
    "TokenReplayDetected": (
        (ALONE.format(1), r"\n\g<1>2\n"), (r"\bunless\b", "and"), ("offset 10m", "offset 5m"), ("offset 10m", "offset 20m"),
        ("offset 11m", "offset 10m"), ("offset 11m", "offset 1m"), (r"\[10m\]", "[20m]"), ("for: 1m", "for: 3m"),
    ),
    "RateLimitHitsHigh": ((ALONE.format(6000), r"\n\g<1>6100\n"), (ALONE.format(6000), r"\n\g<1>5850\n"), ("offset 10m", "offset 5m")),
    "WebhookSignatureFailures": ((ALONE.format(5), r"\n\g<1>4\n"), (ALONE.format(5), r"\n\g<1>6\n"), (r"\[15m\]", "[8m]")),
    "AuthFailureSpike": (
        (r"\[10m\]", "[5m]"), (r"\[10m\]", "[20m]"), (r"\[1h\]", "[4h]"), ("offset 1d", "offset 12h"), (r"\bor\b", "and"),
        (r"> 1\b", "> 1.1"), (r"> 1\b", "> 0.9"), (r"\b5\n( +)\*", r"6\n\g<1>*"), ("for: 10m", "for: 5m"),
    ),
    "PaymentFailureRatioHigh": (
        (r"\b0\.1\b", "0.11"), (r"\b0\.1\b", "0.09"), (ALONE.format(3), r"\n\g<1>4\n"), ("offset 15m", "offset 5m"),
        ("offset 16m", "offset 1m"), ('result="failure",', ""),
    ),
    "PaymentsPendingTooLong": ((ALONE.format(1800), r"\n\g<1>1850\n"), ("for: 10m", "for: 5m")),
    "OrdersDropped": ((r"\b0\.5\b", "0.52"), ("offset 1w", "offset 1d"), (r"\bor\b", "and"), (r"\b0\.006\b", "0.007")),
    "IndexerLagHigh": ((ALONE.format(50), r"\n\g<1>51\n"), (ALONE.format(50), r"\n\g<1>49\n"), ("for: 10m", "for: 5m")),
    "IndexerStalled": (("offset 10m", "offset 20m"), ("offset 10m", "offset 5m"), (r"\bor\b", "and"), ("for: 5m", "for: 2m")),
    "ChainReorgDeep": ((ALONE.format(6), r"\n\g<1>7\n"), (ALONE.format(6), r"\n\g<1>5\n"), (r"\[15m\]", "[5m]")),
    "RpcEndpointErrors": ((r"\b0\.2\b", "0.22"), (r"\b0\.2\b", "0.18"), ("chain, endpoint", "chain"), ("for: 5m", "for: 3m")),
    "TargetDown": (
        ("== 0", "== 1"), (r"\bunless\b", "and"), ("absent_over_time", "present_over_time"), ("for: 1m", "for: 3m"),
    ),
    "JobAllTargetsDown": ((r"\bmax by", "min by"), (r"\bor\b", "and"), ("for: 1m", "for: 3m")),
    "ScrapeSlow": (("> 8", "> 8.2"), ("> 8", "> 7.8"), ("for: 15m", "for: 10m")),
    "ScrapeSeriesJump": ((r"\b10000\b", "10500"), ("offset 1d", "offset 12h"), (ALONE.format(2), r"\n\g<1>2.1\n")),
    "BackupStale": ((ALONE.format(129600), r"\n\g<1>172800\n"), (r"\[1w\]", "[1h]"), ("for: 30m", "for: 2h")),
    "BackupMetricMissing": ((r"\bunless\b", "and"), ("absent_over_time", "present_over_time"), ("for: 1h", "for: 3h")),
    "BackupShrank": ((r"\b0\.5\b", "0.52"), (r"\b0\.5\b", "0.48"), (r"\[1w\]", "[2h]")),
    "AlertmanagerNotifyFailing": ((r"\b0\.01\b", "0.011"), ("environment, integration", "environment"), ("offset 16m", "offset 1m")),
    "AlertmanagerConfigReloadFailed": ((ALONE.format(0), r"\n\g<1>1\n"), ("for: 10m", "for: 5m")),
    "CollectorExportFailing": (("send_failed_spans", "send_failed_log_records"), (r"\n( +)1,\n", r"\n\g<1>2,\n")),
    "CollectorDroppingData": (("enqueue_failed_spans", "enqueue_failed_log_records"), (r"\bor\n( +)label", r"and\n\g<1>label")),
    "CollectorQueueNearlyFull": ((r"\b0\.8\b", "0.82"), (r"\b0\.8\b", "0.78"), ("exporter, data_type", "exporter"), ("for: 5m", "for: 2m")),
    "CollectorRefusingData": (("refused_spans", "refused_log_records"), (r"\[10m\]", "[30m]"), ("for: 5m", "for: 2m")),
    "CollectorMaskedSecrets": (
        ("filter_spans", "filter_logs"), (r'filter="filter/masked",', 'filter="filter/rest",'), (r"\[1h\]", "[10m]"), ("for: 5m", "for: 1m"),
    ),
    "LokiRequestErrors": ((r"\b0\.1\b", "0.11"), ("environment, route", "environment"), (ALONE.format(3), r"\n\g<1>4\n")),
    "LokiLinesDiscarded": ((ALONE.format(1), r"\n\g<1>2\n"), (r"\bunless\b", "and"), ("for: 5m", "for: 2m")),
    "PrometheusRuleFailures": ((ALONE.format(1), r"\n\g<1>2\n"), (r"\bunless\b", "and"), ("environment, rule_group", "environment")),
    "PrometheusRuleGroupSlow": ((r"\b0\.8\b", "0.82"), (r"\b0\.8\b", "0.78"), ("for: 10m", "for: 5m")),
    "PrometheusConfigReloadFailed": ((ALONE.format(0), r"\n\g<1>1\n"), ("for: 10m", "for: 5m")),
    "PrometheusNoAlertmanager": ((ALONE.format(1), r"\n\g<1>0\n"), (ALONE.format(1), r"\n\g<1>2\n"), ("for: 5m", "for: 2m")),
    "PrometheusAlertsDropped": ((r"\bunless\b", "and"), ("offset 11m", "offset 1m"), ("severity: page", "severity: ticket")),
    "TempoSpansDiscarded": ((r"\[15m\]", "[5m]"), ("environment, reason", "environment"), ("for: 5m", "for: 2m")),
}  # fmt: skip

CASES = [(name, right, wrong) for name, rows in {**MUTATIONS, **PLATFORM}.items() for right, wrong in rows]


@pytest.fixture(scope="module")
def program(installed: Callable[[str], dict[str, Engine]]) -> Path:
    return installed("go")["promtool"].path


@cache
def _files(spec: Path) -> tuple[RuleFile, ...]:
    return tuple(file for service in load([spec]) for file in rule_files(service))


@cache
def _alone(name: str, specs: tuple[Path, ...]) -> RuleFile:
    """Return the rule file that holds the alert `name`, without any other; of two jobs the last."""
    for file in (file for spec in specs for file in reversed(_files(spec))):
        chosen = tuple(
            replace(group, rules=rules)
            for group in file.groups
            if (rules := tuple(alert for alert in file.alerts if alert.name == name and alert in group.rules))
        )
        if chosen:
            return replace(file, groups=chosen)
    raise AssertionError(f"no alert {name}")


def _judge(
    program: Path,
    name: str,
    out: Path,
    right: str = "",
    wrong: str = "",
    *,
    specs: tuple[Path, ...] = COMPLETE,
) -> int:
    """Write the rule, broken when `right` is given, with its tests; return what promtool says of it."""
    file = _alone(name, specs)
    rule = prometheus.render(file)
    text, count = re.subn(right, wrong, rule.text) if right else (rule.text, 1)
    assert count, f"{right} is not in {name}"
    # What cannot even be parsed would prove nothing about the tests.
    for group in yaml.safe_load(text)["groups"]:
        for broken in group["rules"]:
            promql_parser.parse(broken["expr"])
    tests = promtool.render(file)
    for artefact in (replace(rule, text=text), *tests):
        (out / artefact.path).parent.mkdir(parents=True, exist_ok=True)
        (out / artefact.path).write_text(artefact.text, encoding="utf-8")
    command = [str(program), "test", "rules", *(str(out / test.path) for test in tests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode


@pytest.mark.parametrize("name", [*MUTATIONS, *PLATFORM])
def test_a_sound_rule_passes_its_own_tests(name: str, program: Path, tmp_path: Path) -> None:
    assert _judge(program, name, tmp_path) == 0


@pytest.mark.parametrize("name", [name for name in MUTATIONS if not name.startswith("JobNot")])
def test_a_rule_that_is_tuned_to_the_low_end_passes_its_own_tests(
    name: str, program: Path, tmp_path: Path
) -> None:
    assert _judge(program, name, tmp_path, specs=(GOLDEN / "tuned",)) == 0


@pytest.mark.parametrize(("name", "right", "wrong"), CASES)
def test_a_broken_rule_turns_promtool_red(
    name: str, right: str, wrong: str, program: Path, tmp_path: Path
) -> None:
    assert _judge(program, name, tmp_path, right, wrong) != 0, "no test noticed"
