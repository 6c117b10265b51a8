"""The committed configuration: valid for the very binary that runs it, made of its parts and no others."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from tests.engines.collector import otlp
from tests.engines.collector.backend import Backend
from tests.engines.collector.running import GATE, Collector, configure, parse, program, running, site
from tests.engines.waiting import await_

from obs.stack import bundle

pytestmark = pytest.mark.engines

#: What the binary that is built from tools/collector has not; see collector/service-graph.yml.
ELSEWHERE = "service_graph"


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(bundle.path("collector", name).read_text(encoding="utf-8"))
    return content


def _validate(tmp_path: Path, *names: str) -> subprocess.CompletedProcess[str]:
    place = site(tmp_path)
    files = configure(place, "collector", *(bundle.path("collector", name) for name in names))
    return subprocess.run(
        [program("otelcol"), "validate", GATE, *(f"--config={file}" for file in files)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("names", [("collector.yml",), ("collector.yml", "tls.yml")], ids="-".join)
def test_the_binary_takes_it(tmp_path: Path, names: tuple[str, ...]) -> None:
    done = _validate(tmp_path, *names)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_graph_is_refused_for_its_connector_alone(tmp_path: Path) -> None:
    done = _validate(tmp_path, "collector.yml", "service-graph.yml")
    assert done.returncode != 0
    problems = {line.strip() for line in done.stderr.splitlines() if line.strip().startswith("'")}
    assert len(problems) == 1, done.stderr
    assert f"'connectors' unknown type: \"{ELSEWHERE}\"" in problems.pop()


def test_the_service_graph_is_the_base_with_one_entry_more() -> None:
    base, overlay = (
        _read("collector.yml")["service"]["pipelines"],
        _read("service-graph.yml")["service"]["pipelines"],
    )
    assert overlay == {
        "traces/in": {"exporters": [*base["traces/in"]["exporters"], ELSEWHERE]},
        "metrics/spans": {"receivers": [*base["metrics/spans"]["receivers"], ELSEWHERE]},
    }


def test_the_binary_has_the_components_of_the_configuration_and_no_others() -> None:
    config = _read("collector.yml")
    used = {
        kind: {name.split("/")[0] for name in config[kind]}
        for kind in ("receivers", "processors", "exporters", "connectors", "extensions")
    }
    told = subprocess.run(
        [program("otelcol"), "components"], capture_output=True, text=True, check=True
    ).stdout
    listed = yaml.safe_load(told)
    built = {kind: {part["name"] for part in listed[kind]} for kind in used}
    assert built == used


def test_whatever_is_taken_in_is_refused_first_when_memory_runs_out() -> None:
    config = _read("collector.yml")
    for name, parts in config["service"]["pipelines"].items():
        if set(parts["receivers"]) & set(config["receivers"]):
            # Behind a connector a refusal would come after others had taken the same data.
            assert parts["processors"][0] == "memory_limiter", name


def test_nothing_that_is_sent_is_given_up_or_kept_in_memory_alone() -> None:
    exporters = _read("collector.yml")["exporters"]
    for name in ("otlp_http/loki", "otlp_grpc/tempo", "otlp_http/prometheus"):
        queue, retry = exporters[name]["sending_queue"], exporters[name]["retry_on_failure"]
        assert (queue["storage"], queue["block_on_overflow"]) == ("file_storage", True)
        assert retry["max_elapsed_time"] == "0s"
        assert exporters[name]["compression"] == "gzip"
    assert "batch" not in {name.split("/")[0] for name in _read("collector.yml")["processors"]}
    assert _read("collector.yml")["extensions"]["file_storage"]["fsync"] is True
    assert _read("collector.yml")["receivers"]["file_log"]["retry_on_failure"] == {
        "enabled": True,
        "max_elapsed_time": "0s",
    }


def test_every_name_that_a_rule_asks_for_is_told_under_load(tmp_path: Path, backend: Backend) -> None:
    rules = [
        file.read_text(encoding="utf-8")
        for file in bundle.path("alerts", "prometheus").glob("collector*.yml")
    ]
    asked = set(re.findall(r"\botelcol_\w+", "".join(rules)))
    assert asked
    place = site(
        tmp_path,
        loki_http=backend.http_port,
        prometheus_http=backend.http_port,
        tempo_otlp_grpc=backend.grpc_port,
    )
    sizes = {f"OBS_QUEUE_{kind}_BYTES": "300000" for kind in ("LOGS", "TRACES", "METRICS")}
    of, filling = otlp.resource("told"), "x" * 100_000
    send: dict[str, Callable[[str], bytes]] = {
        "logs": lambda text: otlp.logs(of, [(text, {})]),
        "metrics": lambda text: otlp.samples(of, "told", {"text": text}, 1),
        "traces": lambda text: otlp.traces(of, [otlp.span(failed=True, attributes={"text": text})]),
    }
    collector = Collector(place, environment={"OBS_SAMPLING_WAIT": "200ms", **sizes})
    with running(collector):
        # Refused for good, then away until each queue is full.
        backend.status, backend.refuses_spans = 400, grpc.StatusCode.INVALID_ARGUMENT
        for kind, body in send.items():
            assert collector.send(kind, body("small")) == 200
        missing = {name for name in asked if "send_failed" in name}
        await_(lambda: missing <= _names(collector), f"{missing} are told", instead=lambda: _names(collector))
        backend.status = 503
        for kind, noun in (("logs", "log_records"), ("metrics", "metric_points")):
            full = f"otelcol_exporter_enqueue_failed_{noun}_total"
            request = send[kind](filling)

            def is_full(kind: str = kind, request: bytes = request, full: str = full) -> bool:
                return collector.send(kind, request, timeout=2.0) != 200 and full in _names(collector)

            await_(is_full, f"{full} is told")
        # Spans wait in the sampler, so that no sender is refused for a full queue: see the alert on its size.
        missing = asked - {"otelcol_exporter_enqueue_failed_spans_total"}
        await_(lambda: missing <= _names(collector), f"{missing} are told", instead=lambda: _names(collector))


def _names(collector: Collector) -> set[str]:
    return {name for name, _, _ in parse(collector.scrape())}
