"""`obs backtest`: what it says and how it ends, before a server that says what the test tells it.

That it agrees with real rule engines is proven in tests/engines.
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from obs.cli.main import run
from obs.verify import query_api

#: The period begins on 2026-08-29 at 08:00 UTC.
HOUR, BEGIN = 3600, 1_787_990_400
SPEC = """\
version: obs/v1
service: {name: shop, team: us}
capabilities: [http]
"""
#: (expression, instant in seconds) -> series with their value then.
Past = Callable[[str, float], dict[str, float]]


@dataclass
class Server:
    """A Prometheus that remembers what `past` says."""

    url: str = ""
    past: Past = lambda text, at: {}
    status: int = 200
    body: bytes = b""
    version: str = "3.4.0"
    queries: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def range(self, form: dict[str, str]) -> Any:
        start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        assert (end - start) / step < 11_000, "more points than Prometheus gives"
        series: dict[str, list[tuple[float, str]]] = {}
        at = start
        while at <= end + 0.001:
            for instance, value in self.past(form["query"], at).items():
                series.setdefault(instance, []).append((at, f"{value:g}"))
            at += step
        found = [
            {"metric": {"instance": name, "service": "shop"}, "values": values}
            for name, values in series.items()
        ]
        return {"resultType": "matrix", "result": found}


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, data: Any) -> None:
            body = told.body or json.dumps({"status": "success", "data": data}).encode()
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            told.headers.append(dict(self.headers))
            self._answer({"version": told.version})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = dict(urllib.parse.parse_qsl(text))
            told.queries.append(form)
            self._answer(told.range(form) if not told.body else None)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        told.url = f"http://127.0.0.1:{http.server_address[1]}"
        yield told
        http.shutdown()
        thread.join()


@pytest.fixture
def backtest(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `obs backtest` on a spec before that server; return exit code, output and talk."""

    def start(*options: str, spec: str = SPEC) -> tuple[int, str, str]:
        (tmp_path / "spec.yml").write_text(spec, encoding="utf-8")
        words = ["backtest", str(tmp_path / "spec.yml"), "--url", server.url, "--rate", "1000"]
        code = run([*words, "--since", "12h", "--until", "2026-08-29T20:00Z", *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return start


Backtest = Callable[..., tuple[int, str, str]]


def _incidents(*hours: tuple[float, float]) -> Past:
    """Return a past in which the alerts on errors are true in those hours of the period, and data is there."""

    def past(text: str, at: float) -> dict[str, float]:
        if text.startswith("group("):
            return {"": 1.0}
        hour = (at - BEGIN) / HOUR
        return {"one": 0.5} if "5.." in text and any(first <= hour < last for first, last in hours) else {}

    return past


def _entry(text: str, alert: str) -> Any:
    (found,) = [one for one in json.loads(text)["alerts"] if one["alert"] == alert]
    return found


@pytest.mark.parametrize("until", ["0001-01-01", "1970-01-01T06:00Z"])
def test_a_period_before_all_servers_is_refused(backtest: Backtest, until: str) -> None:
    code, out, err = backtest("--until", until)

    assert (code, out) == (2, "")
    assert "the period would begin before 1970" in err


def test_a_quiet_past_is_clean(server: Server, backtest: Backtest) -> None:
    server.past = _incidents()

    code, out, err = backtest()

    assert (code, out) == (0, "")
    assert "0 fired 0 times (0 pages, 0 at night)" in err
    assert "0 without data, 0 not judged" in err


def test_a_table_tells_how_often_when_and_for_how_long(server: Server, backtest: Backtest) -> None:
    server.past = _incidents((1, 1.5), (4, 4.25))

    code, out, err = backtest()

    assert code == 0
    row = next(line for line in out.splitlines() if "shop/HttpErrorRatioHigh" in line)
    # Each waits five minutes.
    assert row.split() == [
        "shop/HttpErrorRatioHigh", "page", "2", "35m", "25m", "2026-08-29", "09:05", "2026-08-29", "12:05", "0",
    ]  # fmt: skip
    assert "HttpLatency" not in out
    assert "not judged: " not in out + err


def test_every_firing_is_data(server: Server, backtest: Backtest) -> None:
    server.past = _incidents((1, 1.5), (11.8, 99))

    code, out, _ = backtest("--format", "json", "--timezone", "Europe/Berlin")

    assert code == 0
    entry = _entry(out, "HttpErrorRatioHigh")
    assert entry["fired"] == 2
    assert entry["firings"] == [
        {
            "labels": {"instance": "one"},
            "start": "2026-08-29T11:05:00.000+02:00",
            "end": "2026-08-29T11:30:00.000+02:00",
            "seconds": 1500.0,
            "began_before": False,
        },
        {
            "labels": {"instance": "one"},
            "start": "2026-08-29T21:53:00.000+02:00",
            "end": None,
            "seconds": 420.0,
            "began_before": False,
        },
    ]
    assert entry["data"] == {
        "seen": True,
        "share": 1.0,
        "full_from": "2026-08-29T10:00:00.000+02:00",
        "unseen_metrics": [],
    }


def test_a_page_that_begins_at_night_is_counted(server: Server, backtest: Backtest) -> None:
    server.past = _incidents((1, 1.5), (4, 4.5))

    _, out, _ = backtest("--format", "json", "--night", "11:00-13:00")
    assert _entry(out, "HttpErrorRatioHigh")["pages_at_night"] == 1
    assert _entry(out, "HttpErrorRatioElevated")["pages_at_night"] == 0  # a ticket

    _, out, _ = backtest("--format", "json", "--night", "22:00-10:00")
    assert _entry(out, "HttpErrorRatioHigh")["pages_at_night"] == 1


def test_more_firings_than_allowed_are_a_finding(server: Server, backtest: Backtest) -> None:
    server.past = _incidents((1, 1.5), (4, 4.5))

    assert backtest("--fail-over", "2")[0] == 0
    code, _, err = backtest("--fail-over", "1")

    assert code == 1
    assert "more than 1 times: shop/HttpErrorRatioHigh" in err


def test_an_alert_without_data_is_not_quiet(server: Server, backtest: Backtest) -> None:
    code, out, err = backtest()

    assert code == 0
    assert "no data" in next(line for line in out.splitlines() if "shop/HttpErrorRatioHigh" in line)
    assert "no sample of http_server_request_duration_seconds_count in the period" in err
    assert "0 quiet" in err


def test_rules_that_are_evaluated_in_the_past_fire_later_by_as_much(
    server: Server, backtest: Backtest
) -> None:
    server.past = _incidents((1, 1.5))

    _, out, _ = backtest("--format", "json", spec=f"{SPEC}telemetry: {{query_offset: 100s}}\n")

    (firing,) = _entry(out, "HttpErrorRatioHigh")["firings"]
    # What happened at nine is seen first by the evaluation a hundred seconds later, or the next after it.
    assert firing["start"] == "2026-08-29T09:06:45.000+00:00"
    assert firing["end"] == "2026-08-29T09:31:45.000+00:00"


def test_a_look_back_is_full_later_by_an_offset(server: Server, backtest: Backtest) -> None:
    server.past = lambda text, at: {"": 1.0} if text.startswith("group(") and at > BEGIN + 6 * HOUR else {}

    at_once, late = (
        _entry(backtest("--format", "json", spec=SPEC + more)[1], "HttpErrorRatioHigh")["data"]["full_from"]
        for more in ("", "telemetry: {query_offset: 30m}\n")
    )

    waited = datetime.fromisoformat(late) - datetime.fromisoformat(at_once)
    assert timedelta(minutes=25) < waited < timedelta(minutes=35)


def test_a_server_that_is_younger_than_the_period_is_told(server: Server, backtest: Backtest) -> None:
    server.past = lambda text, at: {"": 1.0} if text.startswith("group(") and at > BEGIN + 6 * HOUR else {}

    _, out, err = backtest("--format", "json")

    entry = _entry(out, "HttpErrorRatioHigh")  # it looks back for an hour
    assert entry["data"]["share"] == pytest.approx(0.5, abs=0.01)
    assert entry["data"]["full_from"] > "2026-08-29T15:0"
    (late,) = [line for line in err.splitlines() if "its look-back is full from 2026-08-29 15:0" in line]
    assert late.startswith("shop/HttpErrorRatioHigh, shop/HttpLatencyP99High, ")
    # A day before is before anything that there is.
    (never,) = [line for line in err.splitlines() if "its look-back never was full" in line]
    assert "shop/HttpTrafficDropped" in never


def test_a_query_that_the_server_refuses_leaves_its_alert_unjudged(
    server: Server, backtest: Backtest
) -> None:
    server.body, server.status = b'{"status":"error","errorType":"execution","error":"too many samples"}', 422

    code, out, err = backtest()

    assert code == 3
    assert "not judged" in out
    assert any(
        line.startswith("shop/HttpErrorRatioHigh, ") and line.endswith(": not judged: too many samples")
        for line in err.splitlines()
    )


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"Unauthorized", "Prometheus answered 401"),
        (500, b"oops", "Prometheus answered 500"),
        (200, b"<html>", "the server gives no answer of Prometheus"),
        (302, b"moved", "Prometheus answered 302"),
    ],
)
def test_a_server_that_is_none_could_not_be_asked(
    server: Server, backtest: Backtest, status: int, body: bytes, said: str
) -> None:
    server.status, server.body = status, body

    code, out, err = backtest()

    assert (code, out) == (3, "")
    assert said in err


def test_a_token_is_sent_and_never_shown(server: Server, backtest: Backtest, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("very-secret\n", encoding="utf-8")

    code, out, err = backtest("--bearer-file", str(token))

    assert code == 0
    assert server.headers[0]["Authorization"] == "Bearer very-secret"
    assert "very-secret" not in out + err


@pytest.mark.parametrize("content", ["", "two words", "two\nlines"])
def test_a_file_that_holds_no_token_is_refused(backtest: Backtest, tmp_path: Path, content: str) -> None:
    token = tmp_path / "token"
    token.write_text(content, encoding="utf-8")

    code, _, err = backtest("--bearer-file", str(token))

    assert code == 2
    assert "expected one line that holds nothing but the token" in err


def test_a_long_period_is_asked_for_in_chunks_and_in_wider_steps(
    server: Server, backtest: Backtest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obs.verify.backtest.plan.MAX_EVALUATIONS", 1000)
    monkeypatch.setattr("obs.verify.backtest.asking.MAX_POINTS", 300)
    server.past = _incidents((1, 1.5), (4, 4.25))

    _, out, err = backtest("--format", "json")

    entry = _entry(out, "HttpErrorRatioHigh")
    assert (entry["interval_seconds"], entry["step_seconds"]) == (15, 45)
    assert [one["seconds"] for one in entry["firings"]] == pytest.approx([1500, 600], abs=45)
    assert "looked at every 45s instead of every 15s: what was shorter may be missed" in err
    assert len({query["start"] for query in server.queries if "5.." in query["query"]}) > 3


def test_an_answer_that_is_too_large_is_asked_for_in_halves(
    server: Server, backtest: Backtest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_api, "MAX_BYTES", 3000)
    server.past = _incidents((1, 1.5), (4, 4.25))

    code, out, _ = backtest("--format", "json")

    assert code == 0
    assert [one["seconds"] for one in _entry(out, "HttpErrorRatioHigh")["firings"]] == [1500, 600]


def test_objectives_are_judged_without_any_recorded_series(server: Server, backtest: Backtest) -> None:
    slos = "slos:\n  ok:\n    objective: 99\n    window: 7d\n    sli: {ratio: {total: http.server.requests, "
    spec = f"{SPEC}{slos}bad: {{http.response.status_code: [5xx]}}}}}}\n"

    def past(text: str, at: float) -> dict[str, float]:
        if "offset 1m" not in text:
            return {"": 1.0} if text.startswith("group(") else {}
        bad = "5.." in text and BEGIN + HOUR <= at < BEGIN + 2 * HOUR
        return {"one": 50.0 if bad else 0.0} if "5.." in text else {"one": 100.0}

    server.past = past
    code, out, _ = backtest("--format", "json", spec=spec)

    assert code == 0
    (firing,) = _entry(out, "ErrorBudgetBurnFast")["firings"]
    # Half of all requests fail: the hour is beyond 14.4 % after some 18 minutes.
    assert firing["start"] == "2026-08-29T09:17:00.000+00:00"
    # What is recorded 40 seconds before an evaluation is found by the alerts that are as late.
    late = json.loads(backtest("--format", "json", spec=f"{spec}telemetry: {{query_offset: 40s}}\n")[1])
    (firing,) = _entry(json.dumps(late), "ErrorBudgetBurnFast")["firings"]
    assert firing["start"] == "2026-08-29T09:18:00.000+00:00"
    assert not any("slo:" in query["query"] for query in server.queries)
