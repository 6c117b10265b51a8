"""A starter spec is right as it stands, whatever the service shows."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs.catalogue import contract
from obs.catalogue.registry import bundled
from obs.catalogue.signal import Counter
from obs.cli.main import run
from obs.errors import ObsError
from obs.generate import checking
from obs.generate.adopt import findings, known, starter
from obs.generate.spec.load import load
from obs.stack.ports import free

CLASSIC = """\
# TYPE http_requests_total counter
http_requests_total{method="get",handler="/a",status="2xx"} 5
http_requests_total{method="get",handler="/a",status="5xx"} 1
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{handler="/a",le="0.1"} 1
http_request_duration_seconds_bucket{handler="/a",le="0.5"} 1
http_request_duration_seconds_bucket{handler="/a",le="2.5"} 1
http_request_duration_seconds_bucket{handler="/a",le="+Inf"} 1
http_request_duration_seconds_count{handler="/a"} 1
http_request_duration_seconds_sum{handler="/a"} 1
# TYPE db_query_duration_ms histogram
db_query_duration_ms_bucket{operation="SELECT",le="5"} 1
db_query_duration_ms_bucket{operation="SELECT",le="+Inf"} 1
db_query_duration_ms_count{operation="SELECT"} 1
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 5
# TYPE cron_runs_total counter
cron_runs_total{job="nightly.bill",status="ok"} 5
cron_runs_total{job="nightly.bill",status="error"} 5
# TYPE baskets_abandoned_total counter
baskets_abandoned_total 4
"""
#: OpenTelemetry's Python instrumentation before its HTTP conventions were stable: no counter of its own.
COUNTED = """\
# TYPE http_server_duration_milliseconds histogram
http_server_duration_milliseconds_bucket{http_method="GET",http_status_code="200",le="250"} 1
http_server_duration_milliseconds_bucket{http_method="GET",http_status_code="200",le="2500"} 1
http_server_duration_milliseconds_bucket{http_method="GET",http_status_code="200",le="+Inf"} 1
http_server_duration_milliseconds_count{http_method="GET",http_status_code="200"} 1
# TYPE target info
target_info{service_name="basket"} 1
"""


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spec.yml"
    path.write_text(starter.write(findings.of_page(text, "page"), "us", tmp_path), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the demo's payments and return the address of its metrics."""
    tmp_path = tmp_path_factory.mktemp("payments")
    port = free()
    with (tmp_path / "payments.log").open("wb") as log:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "obs.demo",
                "payments",
                "--port",
                str(port),
                "--data",
                str(tmp_path / "data"),
            ],
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(2400):
            assert child.poll() is None, (tmp_path / "payments.log").read_text()
            try:
                if httpx.get(f"{url}/ready").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        httpx.post(f"{url}/charges", json={"order": "1", "cents": 100})
        yield f"{url}/metrics"
    finally:
        child.terminate()
        child.wait(60)


def test_a_running_service_with_the_sdk_is_recognised(payments: str, tmp_path: Path) -> None:
    spec = tmp_path / "payments.yml"

    assert run(["spec", "init", "--metrics-url", payments, "--out", str(spec)]) == 0
    assert run(["spec", "check", str(spec)]) == 0
    assert run(["generate", str(spec), "--out", str(tmp_path / "out")]) == 0

    (service,) = load([spec])
    assert {"http", "process", "sdk"} <= set(service.capabilities)
    assert [slo.name for slo in service.slos] == ["availability", "latency"]
    assert service.mapping == {}


def test_metrics_under_classic_names_are_mapped_as_they_are(tmp_path: Path) -> None:
    spec = _written(tmp_path, CLASSIC)

    (service,) = load([spec])
    requests, speed = service.mapping["http.server.requests"], service.mapping["db.client.duration"]
    assert set(service.mapping) == {
        "http.server.requests", "http.server.duration", "db.client.duration", "process.memory.usage", "job.runs",
    }  # fmt: skip
    assert requests.labels["http.response.status_code"].values["5xx"] == ("5xx",)
    assert requests.labels["http.request.method"].values == {"GET": ("get",)}
    assert requests.labels["http.route"].label == "handler"
    assert (speed.scale, getattr(service.signals.find("db.client.duration"), "buckets", None)) == (
        1000,
        (0.005,),
    )
    assert service.mapping["job.runs"].labels["job.name"].label == "exported_job"
    assert service.mapping["job.runs"].labels["result"].values == {"failure": ("error",), "success": ("ok",)}
    assert [job.name for job in service.jobs] == ["nightly.bill"]
    assert "#     baskets_abandoned_total" in spec.read_text(encoding="utf-8")
    assert run(["generate", str(spec), "--out", str(tmp_path / "out")]) == 0


def test_an_end_that_no_run_has_had_yet_is_expected_under_its_usual_names(tmp_path: Path) -> None:
    page = '# TYPE cron_runs_total counter\ncron_runs_total{job="bills",status="ok"} 5\n'

    (service,) = load([_written(tmp_path, page)])

    assert "error" in service.mapping["job.runs"].labels["result"].values["failure"]


def test_an_alert_that_the_buckets_cannot_tell_is_switched_off_with_the_reason(tmp_path: Path) -> None:
    (service,) = load([_written(tmp_path, CLASSIC)])

    assert "buckets" in (service.tunings["DbQueryLatencyP95High"].disabled or "")


def test_the_count_of_a_histogram_stands_for_a_counter(tmp_path: Path) -> None:
    (service,) = load([_written(tmp_path, COUNTED)])

    assert service.name == "basket"
    assert service.mapping["http.server.requests"].metric == "http_server_duration_milliseconds_count"
    assert [str(slo.sli.under) for slo in service.slos if slo.name == "latency"] == ["250ms"]  # type: ignore[union-attr]


def test_a_contract_is_named_from_where_the_spec_stands(tmp_path: Path) -> None:
    own = Counter(id="shop.baskets", metric="shop_baskets_total", help="Baskets.", unit="{basket}")
    (tmp_path / "shop.json").write_text(contract.dumps([*bundled(), own], "shop"), encoding="utf-8")
    spec = tmp_path / "specs" / "shop.yml"

    assert run(["spec", "init", "--contract", str(tmp_path / "shop.json"), "--out", str(spec)]) == 0

    text = spec.read_text(encoding="utf-8")
    assert "contract: ../shop.json" in text or 'contract: "../shop.json"' in text
    assert "shop_baskets_total" in text
    assert load([spec])[0].name == "shop"
    assert checking.check([spec]).mistakes == []


def test_a_page_of_strange_metrics_only_makes_a_spec_that_watches_the_targets(tmp_path: Path) -> None:
    (service,) = load([_written(tmp_path, "strange 1\n")])

    assert (service.capabilities, service.mapping) == ((), {})


_NAMES = sorted(
    {name for names in known.METRICS.values() for name in names} | {s.classic or s.metric for s in bundled()}
)
_LABELS = sorted({name for names in known.LABELS.values() for name in names} | {"job", "service", "odd"})


@st.composite
def _pages(draw: st.DrawFn) -> str:
    lines = []
    for name in draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=8, unique=True)):
        kind = draw(st.sampled_from(["counter", "gauge", "histogram", "summary", "untyped"]))
        labels = draw(
            st.dictionaries(
                st.sampled_from(_LABELS),
                st.sampled_from(["5xx", "200", "ok", "a b", "é$", "/x", ""]),
                max_size=3,
            )
        )
        written = ",".join(f'{label}="{value}"' for label, value in labels.items())
        lines.append(f"# TYPE {name} {kind}")
        if kind == "histogram":
            bounds = draw(
                st.lists(st.sampled_from([0.001, 0.0005, 0.1, 0.25, 1, 5, 30, 1000]), max_size=4, unique=True)
            )
            lines += [
                f'{name}_bucket{{{written}{"," if written else ""}le="{bound}"}} 1'
                for bound in [*sorted(bounds), "+Inf"]
            ]
            lines.append(f"{name}_count{{{written}}} 1")
        else:
            lines.append(f"{name}{{{written}}} 1")
    return "\n".join(lines) + "\n"


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_pages())
def test_whatever_a_page_shows_the_starter_is_right(tmp_path: Path, text: str) -> None:
    assert checking.check([_written(tmp_path, text)]).mistakes == []


@pytest.mark.parametrize("text", ["", "# nothing\n", "<html></html>\n", "nothing here\n"])
def test_what_is_no_page_of_metrics_is_refused(text: str) -> None:
    with pytest.raises(ObsError, match="no metrics here"):
        findings.of_page(text, "page")


def test_an_address_that_answers_with_something_else_could_not_be_checked(payments: str) -> None:
    assert run(["spec", "init", "--metrics-url", payments.replace("/metrics", "/nowhere")]) == 3
