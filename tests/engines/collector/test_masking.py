"""Secrets and personal data: planted everywhere a sender can put them, found nowhere behind the collector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.engines.collector import otlp
from tests.engines.collector.conftest import Pipeline
from tests.engines.waiting import await_

pytestmark = pytest.mark.engines

FILTERED = {
    "logs": "otelcol_processor_filter_logs_filtered_total",
    "traces": "otelcol_processor_filter_spans_filtered_total",
}
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEplantedplantedplantedplanted\n-----END RSA PRIVATE KEY-----"

#: What is written -> what of it must be found nowhere.
SECRETS = {
    "password=hunter2-planted rest": "hunter2-planted",
    'config {"db_password": "two words planted"}': "two words planted",
    r"{\"client_secret\": \"escaped-planted\"}": "escaped-planted",
    "Authorization: Bearer abcdef-planted-123456": "abcdef-planted",
    "Authorization: Basic dXNlcjpwbGFudGVkLXNlY3JldA==": "dXNlcjpwbGFudGVk",
    "postgres://app:pg-planted@db:5432/shop": "pg-planted",
    "GET /login?api_key=query-planted&page=2": "query-planted",
    "GET /login?token%3Dencoded-planted": "encoded-planted",
    f"session {JWT} ended": "eyJzdWIiOiJwbGFudGVkIn0",
    f"read {KEY}": "MIIEplanted",
    "key AKIAPLANTEDPLANTED12 used": "AKIAPLANTED",
    "token ghp_plantedplantedplanted01 used": "ghp_planted",
    "paid by 4111 1111 1111 1111 today": "1111 1111",
    "paid by 5555-5555-5555-4444 today": "5555-4444",
    "paid by 378282246310005 today": "378282246310005",
    "refund to DE89 3704 0044 0532 0130 00": "0532 0130",
    "refund to FR1420041010050500013M02606": "050500013M",
    "sent to jane.planted@example.com": "jane.planted",
    "GET /users/jane.planted%40example.com": "jane.planted",
    "Set-Cookie: sid=1; session_id=cookie-planted": "cookie-planted",
}
#: Keys whose value is a secret whatever it looks like.
KEYS = {
    "http.request.header.authorization": "header-planted",
    "http.request.header.cookie": "cookies-planted",
    "http.request.header.x-api-key": "xapi-planted",
    "user_password": "key-planted",
    "access_token": "access-planted",
    "card_number": 4111111111111111,
    "login": {"user": "jane", "password": "nested-planted"},
    "attempts": ["first", "password=listed-planted"],
}
#: Ordinary text that must arrive as it is.
HARMLESS = (
    "took 0.123 s for order 2026-11-22 10:00:00, 200 OK",
    "trace 5b8efff798038103d269b633813fc60c span eee19b7ec3c1b174",
    "id 1795337317365102207 at 1795337317",
    "token_count=12 max_tokens: 4096",
    "passenger list of secretary",
    "GET /users/{id}/orders?page=2&size=50",
    "uuid 0191f3e4-7b1c-7d3e-a1b2-0123456789ab",
    "password [redacted] for user",
    "authorization=[redacted] kept",
)
PLANTED = [*SECRETS.values(), "planted", "4111111111111111"]


def test_secrets_in_lines_are_found_nowhere_in_loki_and_counted(pipeline: Pipeline) -> None:
    before = pipeline.collector.total(FILTERED["logs"], filter="filter/masked")
    lines: list[tuple[Any, Mapping[str, Any]]] = [*((text, {}) for text in SECRETS), ("by key", KEYS)]
    lines += [("in text", {"note": text, "exception.stacktrace": f"E\n  {text}\n"}) for text in SECRETS]
    lines.append(({"deep": {"password": "map-planted"}, "text": "token=map-planted"}, {}))
    body = otlp.logs(otlp.resource("masked-lines", {"host": "api_key=resource-planted"}), lines)
    assert pipeline.collector.send("logs", body) == 200

    def arrived() -> bool:
        return len(pipeline.lines('{service="masked-lines"}')) == len(lines)

    await_(arrived, "every line is in Loki")
    text = json.dumps(pipeline.lines('{service="masked-lines"}'))
    assert not [secret for secret in PLANTED if secret in text]

    def counted() -> bool:
        return pipeline.collector.total(FILTERED["logs"], filter="filter/masked") >= before + len(lines)

    await_(counted, "each of them is counted")
    assert len(pipeline.lines('{service="masked-lines"} | redaction_masked_count > 0')) >= len(SECRETS) + 1


def test_secrets_in_lines_of_files_are_found_nowhere_in_loki(pipeline: Pipeline) -> None:
    lines = [json.dumps({"level": "info", "service": "masked-files", "message": text}) for text in SECRETS]
    lines += [json.dumps({"level": "info", "service": "masked-files", "message": "by key", **KEYS})]
    lines += [text.replace("\n", " ") for text in SECRETS]
    (pipeline.collector.logs / "masked-files.log").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def arrived() -> bool:
        return len(pipeline.lines('{service="masked-files"}')) == len(lines)

    await_(arrived, "every line is in Loki")
    text = json.dumps(pipeline.lines('{service="masked-files"}'))
    assert not [secret for secret in PLANTED if secret in text]


def test_secrets_in_spans_are_found_nowhere_behind_the_collector_and_counted(pipeline: Pipeline) -> None:
    before = pipeline.collector.total(FILTERED["traces"], filter="filter/masked")
    spans = [
        otlp.span(
            f"GET {text}",
            failed=True,
            message=f"ValueError: {text}",
            attributes={"http.url": text, **KEYS},
            events=[
                ("exception", {"exception.message": text, "exception.stacktrace": f"E\n {text}"}),
                (text, {}),
            ],
        )
        for text in SECRETS
    ]
    body = otlp.traces(
        otlp.resource("masked-spans", {"process.command_args": ["app", "--password=args-planted"]}),
        spans,
        scope="token=scope-planted",
    )
    assert pipeline.collector.send("traces", body) == 200
    sent = {span.trace_id for span in spans}
    await_(lambda: sent <= pipeline.received.trace_ids(), "every failed trace is kept")
    told = pipeline.received.text() + pipeline.collector.scrape("span_metrics")
    assert not [secret for secret in PLANTED if secret in told]
    assert "obs.lifted" not in told

    def counted() -> bool:
        return pipeline.collector.total(FILTERED["traces"], filter="filter/masked") == before + len(spans)

    await_(counted, "each of them is counted")


def test_secrets_in_what_jobs_push_are_masked(pipeline: Pipeline) -> None:
    body = otlp.samples(otlp.resource("masked-job"), "job_rows", {"owner": "jane.planted@example.com"}, 3)
    assert pipeline.collector.send("metrics", body) == 200
    await_(lambda: "job_rows" in "".join(map(str, pipeline.received.metrics)), "the sample arrived")
    text = "".join(map(str, pipeline.received.metrics))
    assert "planted" not in text
    assert "redaction" not in text
    assert pipeline.received.authorizations == {"Basic b2JzOnRlc3QtcGFzc3dvcmQ="}


def test_ordinary_text_arrives_as_it_is_and_is_not_counted(pipeline: Pipeline) -> None:
    # What the SDK has masked already is no leak.
    lines = [(text, {"note": text, "password": "[redacted]", "number": 17}) for text in HARMLESS]
    assert pipeline.collector.send("logs", otlp.logs(otlp.resource("harmless"), lines)) == 200
    await_(lambda: len(pipeline.lines('{service="harmless"}')) == len(lines), "every line is in Loki")
    found = pipeline.lines('{service="harmless"}')
    assert {text for _, text in found} == set(HARMLESS)
    assert {fields["note"] for fields, _ in found} == set(HARMLESS)
    assert not [name for fields, _ in found for name in fields if name.startswith("redaction")]
