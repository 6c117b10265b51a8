"""The rules for Loki, their tests and their language, judged by a real Loki and its ruler."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.errors import ObsError
from obs.generate import pipeline
from obs.generate.derive.capabilities.logs import table
from obs.generate.derive.logql import parse, printed
from obs.generate.model import Duration, Service, Tuning
from obs.generate.render import loki as renderer
from obs.generate.spec.load import load

# One Loki serves all of them.
pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("logs")]

SPECS = Path(__file__).parents[3] / "specs" / "shop"
#: Evaluations within the time that an alert waits.
_EVALUATIONS = 4
_NANO = 1_000_000_000

Case = Mapping[str, Any]


def _service(name: str = "payments") -> Service:
    return next(service for service in load([SPECS]) if service.name == name)


def _seconds(span: str) -> float:
    return float(Duration.parse(span).seconds)


def _written(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return rules by name, and the tests, as a reader of the files gets them."""
    file = table.rule_file(service)
    assert file is not None
    rules, tests = (yaml.safe_load(artefact.text) for artefact in renderer.render(file))
    return {rule["alert"]: rule for group in rules["groups"] for rule in group["rules"]}, tests


def _push(loki: Any, case: Case, base: float, environment: str) -> None:
    # One stream of one service may not go back far in time, so its lines are put in order.
    streams: dict[tuple[tuple[str, str], ...], list[tuple[int, str, dict[str, str]]]] = {}
    for burst in case["lines"]:
        labels = {**burst["stream"], "environment": environment}
        step = _seconds(burst["over"]) / burst["count"]
        lines = streams.setdefault(tuple(sorted(labels.items())), [])
        for number in range(burst["count"]):
            at = base + _seconds(burst["at"]) + number * step
            lines.append((int(at * _NANO), burst["line"], burst["fields"]))
    loki.push([(dict(labels), sorted(lines, key=lambda line: line[0])) for labels, lines in streams.items()])


def _state(loki: Any, rule: Mapping[str, Any], at: float, labels: Mapping[str, str]) -> str:
    def holds(moment: float) -> bool:
        return any(labels.items() <= found.items() for found in loki.query(rule["expr"], moment))

    if not holds(at):
        return "silent"
    wait = _seconds(rule.get("for", "0s"))
    moments = (at - wait * part / _EVALUATIONS for part in range(1, _EVALUATIONS + 1))
    return "firing" if not wait or all(holds(moment) for moment in moments) else "pending"


def _wrong(loki: Any, service: Service) -> Iterator[str]:
    """Yield what the generated tests of a service say and a real Loki does not."""
    rules, tests = _written(service)
    now = time.time() // 60 * 60
    for number, case in enumerate(tests["tests"]):
        # What is said of missing lines holds for all environments, so those cases have a time of their own.
        alone = number + 1 if case["alert"] == "LogSilence" else 0
        base = now - 4 * 3600 - alone * 6 * 3600
        environment = f"{service.name}-{number}"
        _push(loki, case, base, environment)
        for fact in case["expect"]:
            labels = {"environment": environment, **fact.get("labels", {})}
            found = _state(loki, rules[case["alert"]], base + _seconds(fact["at"]), labels)
            if found != fact["state"]:
                yield f"{case['alert']}, {case['says']}: {found} at {fact['at']}, expected {fact['state']}"


def test_every_generated_test_of_a_rule_holds_on_a_real_loki(loki: Any) -> None:
    assert list(_wrong(loki, _service())) == []


def test_a_test_of_a_broken_rule_fails(loki: Any) -> None:
    rules, tests = _written(_service("storefront"))
    # What a slip of the pen would make of the line: the tests were written for the other one.
    broken = {**rules["LogErrorSpike"], "expr": rules["LogErrorSpike"]["expr"].replace("> 50", "> 60")}
    case = next(one for one in tests["tests"] if one["alert"] == "LogErrorSpike" and one["kind"] == "fires")
    base = time.time() // 60 * 60 - 4 * 3600
    _push(loki, case, base, "broken")

    at = base + _seconds(case["expect"][0]["at"])
    assert _state(loki, rules["LogErrorSpike"], at, {"environment": "broken"}) == "firing"
    assert _state(loki, broken, at, {"environment": "broken"}) == "silent"


def test_the_ruler_fires_just_above_the_line_and_stays_silent_just_below(loki: Any) -> None:
    spec = _service("worker")
    tuning = load([SPECS])[0].tunings  # whatever the shop tunes is no part of this
    assert tuning is not None
    quick = _tuned(
        spec, "LogErrorSpike", threshold=Decimal(5), window=Duration.parse("10m"), for_=Duration(0)
    )
    file = table.rule_file(
        replace(quick, name="ruled", select={"service": "ruled"}, rule_interval=Duration(1000))
    )
    assert file is not None
    now = int(time.time() * _NANO)
    error = {"level": "error"}

    def lines(count: int) -> list[tuple[int, str, dict[str, str]]]:
        return [(now + number, "it broke", error) for number in range(count)]

    loki.push(
        [
            ({"service": "ruled", "environment": "loud"}, lines(6)),
            ({"service": "ruled", "environment": "calm"}, lines(5)),
        ]
    )
    (loki.rules / "ruled.yml").write_text(renderer.render(file)[0].text, encoding="utf-8")

    sent = _await_sent(loki, "LogErrorSpike")
    assert {alert["labels"]["environment"] for alert in sent} == {"loud"}
    labels, annotations = sent[0]["labels"], sent[0]["annotations"]
    assert (labels["service"], labels["severity"], labels["category"]) == ("ruled", "ticket", "logs")
    assert annotations["summary"] == "ruled: 6 error lines in 10m"
    assert "environment%3D%5C%22loud%5C%22" in annotations["logs_url"]
    assert annotations["runbook_url"].endswith("/ruled/LogErrorSpike")
    groups = loki.ask("/prometheus/api/v1/rules")["data"]["groups"]
    (spike,) = (r for g in groups for r in g["rules"] if r["name"] == "LogErrorSpike")
    assert (spike["health"], [a["labels"]["environment"] for a in spike["alerts"]]) == ("ok", ["loud"])


def _attributes(**values: str | float) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"stringValue" if isinstance(value, str) else "doubleValue": value}}
        for key, value in values.items()
    ]


def test_lines_that_come_by_otlp_carry_the_labels_and_fields_that_rules_ask_for(loki: Any) -> None:
    now = time.time() // 60 * 60
    service = replace(_service(), name="otlp", select={"service": "otlp"}, tunings={})
    rules, _ = _written(service)
    record = {
        "severityText": "ERROR",
        "body": {"stringValue": "it broke: {no json}"},
        "attributes": _attributes(level="error", event="http.request", duration=1.5, status="500"),
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
    }
    records = [{**record, "timeUnixNano": str(int((now - number) * _NANO))} for number in range(60)]
    resource = {"attributes": _attributes(service="otlp", environment="production", host="h")}
    loki.post(
        "/otlp/v1/logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}
    )

    labels = {"service": "otlp", "environment": "production"}
    for name in ("LogErrorSpike", "LogSlowRequests"):
        assert loki.query(rules[name]["expr"], now + 1) == [labels]
    of_the_trace = 'sum by (service) (count_over_time({service="otlp"} | trace_id="0af7651916cd43dd8448eb211c80319c" [5m]))'
    assert loki.query(of_the_trace, now + 1) == [{"service": "otlp"}]
    # Why a query of ours never parses a line again: the message is no JSON, and the whole query fails.
    with pytest.raises(urllib.error.HTTPError) as refused:
        loki.query('count_over_time({service="otlp"} | json [5m])', now + 1)
    refused.value.close()


def _tuned(service: Service, alert: str, **changes: Any) -> Service:
    return replace(service, tunings={alert: Tuning(alert, service.place, **changes)})


def _await_sent(loki: Any, name: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 120
    while True:
        found = [alert for alert in loki.received.alerts if alert["labels"]["alertname"] == name]
        if found:
            return found
        assert time.monotonic() < deadline, loki.ask("/prometheus/api/v1/rules")
        time.sleep(0.3)


#: What we refuse although Loki takes it is left out here: being strict is our reader's purpose.
_LEGAL = (
    '{a="b"}',
    '{a="b", c!="d", e=~"f+", g!~"h|i"}',
    '{a="b"} |= "x" != "y" |~ "z." !~ `w\\d`',
    '{a="b"} |= "x" or "y"',
    '{a="b"} | json | c="d"',
    '{a="b"} | logfmt | c > 1.5 and (d = 5m or e != 3KB)',
    '{a="b"} | c=~"d|e" | f!="" | line_format "{{.g}}"',
    '{a="b"} | keep c, d | drop e',
    'rate({a="b"}[5m])',
    'bytes_over_time({a="b"}[1h30m] offset 15m)',
    'absent_over_time({a="b"} [5m])',
    'sum by (a, c) (count_over_time({a="b"} | level="error" [5m])) > 50',
    'sum(count_over_time({a="b"}[5m])) by (a)',
    'topk(5, sum without (c) (rate({a="b"}[1m])))',
    'quantile_over_time(0.99, {a="b"} | unwrap duration(c) | __error__="" [5m]) by (a)',
    'max_over_time({a="b"} | unwrap bytes(c) [5m])',
    'sum_over_time({a="b"} | unwrap c [5m])',
    'label_replace(rate({a="b"}[1m]), "c", "$1", "a", "(.*)")',
    'rate({a="b"}[1m]) unless rate({a="c"}[1m]) or vector(1)',
    'rate({a="b"}[1m]) / on (a) rate({a="c"}[1m]) * 100 > bool 5',
    "2 ^ 3 * -1",
)  # fmt: skip
_ILLEGAL = (
    "",
    "{}",
    '{a=""}',
    '{a!="b"}x',
    '{a=~".*"}',
    '{a="b"',
    '{a="b"} |= x',
    '{a="b"} | c > "text"',
    '{a="b"} | c =~ 5',
    '{a=~"(b"}',
    '{a=~"(?=b)"}',
    'rate({a="b"})',
    'rate({a="b"}[5])',
    'sum_over_time({a="b"}[5m])',
    'count_over_time({a="b"} | unwrap c [5m])',
    'nonsense({a="b"}[5m])',
    'topk(rate({a="b"}[5m]))',
    'sum by (rate({a="b"}[5m]))',
    'sum_over_time({a="b"} | unwrap c [5m]) by (a)',
    'rate({a="b"}[5m]) and 1',
    'quantile_over_time({a="b"} | unwrap c [5m])',
)


@pytest.mark.parametrize("legal", [True, False], ids=["legal", "illegal"])
def test_our_reader_and_loki_agree(loki: Any, legal: bool) -> None:
    for text in _LEGAL if legal else _ILLEGAL:
        assert loki.formats(text) is legal, text
        assert _reads(text) is legal, text


def test_what_we_print_loki_takes(loki: Any) -> None:
    for text in _LEGAL:
        assert loki.formats(printed(parse(text))), printed(parse(text))


def test_every_query_of_the_shop_is_loki_s_own_language(loki: Any) -> None:
    queries = set()
    for artefact in pipeline.plan([SPECS]):
        if artefact.path.parts[:2] == ("alerts", "loki"):
            groups = yaml.safe_load(artefact.text)["groups"]
            queries |= {rule["expr"] for group in groups for rule in group["rules"]}
        elif artefact.path.suffix == ".md":
            queries |= set(_fenced(artefact.text))

    assert len(queries) > 20
    assert [query for query in sorted(queries) if not loki.formats(query)] == []


def _fenced(page: str) -> Iterator[str]:
    for part in page.split("```logql\n")[1:]:
        yield part.split("```")[0].strip()


def _reads(text: str) -> bool:
    try:
        parse(text)
    except ObsError:
        return False
    return True


#: What a slip of the pen makes of a rule: alert, what stands there, and what would stand there.
_SLIPS = (
    ("LogErrorSpike", "error|critical", "error"),
    ("LogErrorSpike", "error|critical", "critical"),
    ("LogErrorSpike", "error|critical", "info|error|critical"),
    ("LogErrorSpike", "> 50", "> 60"),
    ("LogErrorSpike", "> 50", "> 40"),
    ("LogErrorSpike", "[5m]", "[10m]"),
    ("LogErrorSpike", "[5m]", "[2m]"),
    ("LogErrorSpike", 'service="payments"', 'service!=""'),
    ("LogPanic", "exception[.]main|", ""),
    ("LogPanic", "|lifespan", ""),
    ("LogPanic", "exception[.]asyncio|", ""),
    ("LogPanic", "exception[.]main", ".*exception.*"),
    ("LogPanic", "(?i)", ""),
    ("LogPanic", "|out of memory", ""),
    ("LogPanic", "[10m]", "[20m]"),
    ("LogPanic", "> 0", "> 1"),
    ("LogAuthAnomaly", '| stream="security" ', ""),
    ("LogAuthAnomaly", "failed|", ""),
    ("LogAuthAnomaly", "|replay|", "|"),
    ("LogAuthAnomaly", "(denied|failed", "(denied|succeeded|failed"),
    ("LogAuthAnomaly", "> 20", "> 24"),
    ("LogAuthAnomaly", "> 20", "> 16"),
    ("LogSilence", "unless", "and"),
    ("LogSilence", "[15m]", "[45m]"),
    ("LogSilence", "[15m]", "[5m]"),
    ("LogSilence", "absent_over_time", "count_over_time"),
    ("LogSilence", "offset 15m", "offset 3h"),
    ("LogSilence", '"unknown"', '"nowhere"'),
    ("LogSlowRequests", "duration > 1", "duration > 2"),
    ("LogSlowRequests", "duration > 1", "duration > 0.5"),
    ("LogSlowRequests", ' | __error__=""', ""),
    ("LogSlowRequests", "> 0.1", "> 0.12"),
    ("LogSlowRequests", "> 0.1", "> 0.08"),
    ("LogSlowRequests", ">= 10", ">= 20"),
    ("LogSlowRequests", ">= 10", ">= 5"),
)


def test_the_generated_tests_catch_every_slip_of_the_pen(loki: Any) -> None:
    rules, tests = _written(_service())
    now = time.time() // 60 * 60
    bases = {}
    for number, case in enumerate(tests["tests"]):
        bases[number] = now - 400 * 3600 - number * 6 * 3600
        _push(loki, case, bases[number], f"slip-{number}")

    def caught(rule: Mapping[str, Any]) -> bool:
        for number, case in enumerate(tests["tests"]):
            if case["alert"] != rule["alert"]:
                continue
            for fact in case["expect"]:
                labels = {"environment": f"slip-{number}", **fact.get("labels", {})}
                try:
                    found = _state(loki, rule, bases[number] + _seconds(fact["at"]), labels)
                except urllib.error.HTTPError as refused:
                    refused.close()
                    return True
                if found != fact["state"]:
                    return True
        return False

    survivors = []
    for name, here, there in _SLIPS:
        assert here in rules[name]["expr"], (name, here)
        if not caught({**rules[name], "expr": rules[name]["expr"].replace(here, there)}):
            survivors.append((name, here, there))
    assert survivors == []
