"""One scene an engine: it is started, everything that our rules ask about happens to it, and it tells.

Labels that appear only after an event are provoked: a rule that fails, a receiver that refuses, a line
that is too old, a queue that is full.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from obs.catalogue.engines import alertmanager as am
from obs.catalogue.engines import collector, loki, prometheus, tempo
from obs.stack.capture.scene import Scene, ask, refusing, running
from obs.stack.engine import Engine
from obs.stack.ports import LOOPBACK, free

#: Seconds since the epoch in the year 2001: older than any store takes.
_LONG_AGO = 1_000_000_000

_PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{dead}"]}}]}}]}}
scrape_configs: [{{job_name: prometheus, static_configs: [{{targets: ["127.0.0.1:@PORT@"]}}]}}]
"""
# Two series on the right of a match that allows one: an error at each evaluation.
_RULES = """\
groups:
- name: provoked
  rules:
  - record: provoked:failure
    expr: vector(1) + on () (label_replace(vector(1), "a", "1", "", "") or label_replace(vector(1), "a", "2", "", ""))
  - {alert: Provoked, expr: vector(1)}
"""
_ALERTMANAGER = """\
route: {{receiver: refused, group_wait: 1s, group_interval: 1s}}
receivers: [{{name: refused, webhook_configs: [{{url: "http://127.0.0.1:{refusing}/", send_resolved: false}}]}}]
"""
_LOKI = """\
auth_enabled: false
server: {http_listen_address: 127.0.0.1, http_listen_port: @PORT@, grpc_listen_address: 127.0.0.1, grpc_listen_port: @GRPC@}
common:
  instance_addr: 127.0.0.1
  path_prefix: data
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
schema_config:
  configs: [{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]
storage_config: {filesystem: {directory: data/chunks}}
analytics: {reporting_enabled: false}
memberlist: {join_members: []}
"""
# The suffix options decide the names of counters, and their defaults have changed: they are pinned.
_COLLECTOR = """\
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}
processors:
  filter/masked: {{log_conditions: [log.time_unix_nano >= 0], trace_conditions: [span.start_time_unix_nano >= 0]}}
exporters:
  otlp_http/dead: {{endpoint: "http://127.0.0.1:{dead}", retry_on_failure: {{enabled: false}}}}
  otlp_http/stuck:
    endpoint: "http://127.0.0.1:{stuck}"
    retry_on_failure: {{enabled: false}}
    sending_queue: {{queue_size: 1, num_consumers: 1}}
service:
  telemetry:
    metrics:
      readers:
      - pull:
          exporter:
            prometheus: {{host: 127.0.0.1, port: @PORT@, without_type_suffix: false, without_units: false, without_scope_info: true}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http/dead, otlp_http/stuck]}}
    metrics: {{receivers: [otlp], exporters: [otlp_http/dead, otlp_http/stuck]}}
    logs: {{receivers: [otlp], exporters: [otlp_http/dead, otlp_http/stuck]}}
    traces/masked: {{receivers: [otlp], processors: [filter/masked], exporters: [otlp_http/dead]}}
    logs/masked: {{receivers: [otlp], processors: [filter/masked], exporters: [otlp_http/dead]}}
"""
# So little that a second trace is over the limit.
_TEMPO = """\
server: {{http_listen_address: 127.0.0.1, http_listen_port: @PORT@, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}}}
distributor:
  receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}
  ring: {{kvstore: {{store: inmemory}}}}
live_store:
  ring: {{instance_addr: 127.0.0.1, kvstore: {{store: inmemory}}}}
  partition_ring: {{kvstore: {{store: inmemory}}}}
  wal: {{path: data/live/traces}}
  shutdown_marker_dir: data/live/marker
storage: {{trace: {{backend: local, local: {{path: data/blocks}}, wal: {{path: data/wal}}}}}}
backend_scheduler: {{local_work_path: data/work}}
metrics_generator: {{ring: {{kvstore: {{store: inmemory}}}}}}
overrides: {{defaults: {{ingestion: {{rate_limit_bytes: 1, burst_size_bytes: 200}}}}}}
usage_report: {{reporting_enabled: false}}
"""
_OTLP: Mapping[str, object] = {
    "/v1/logs": {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "provoked"}}]}]}]},
    "/v1/traces": {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "5b8efff798038103d269b633813fc60c",
                                "spanId": "eee19b7ec3c1b174",
                                "name": "provoked",
                                "startTimeUnixNano": "1",
                                "endTimeUnixNano": "2",
                            }
                        ]
                    }
                ]
            }
        ]
    },
    "/v1/metrics": {
        "resourceMetrics": [
            {
                "scopeMetrics": [
                    {
                        "metrics": [
                            {
                                "name": "provoked",
                                "gauge": {"dataPoints": [{"asInt": "1", "timeUnixNano": "1"}]},
                            }
                        ]
                    }
                ]
            }
        ]
    },
}


def of_prometheus(engine: Engine, directory: Path) -> str:
    """Return what Prometheus tells when a rule fails and no Alertmanager takes its alerts."""
    files = {"prometheus.yml": _PROMETHEUS.format(dead=free()), "rules.yml": _RULES}

    def arguments(port: int) -> tuple[str, ...]:
        return (
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            # The first sending may come before the Alertmanager is known; the next would be a minute later.
            "--rules.alert.resend-delay=1s",
            f"--web.listen-address={LOOPBACK}:{port}",
        )

    with running(engine, directory, files, arguments) as scene:
        return scene.await_metrics(
            f"{prometheus.RULE_FAILURES.metric}{{",
            f"{prometheus.NOTIFICATIONS_FAILED.metric}{{",
            prometheus.ALERTMANAGERS.metric,
        )


def of_alertmanager(engine: Engine, directory: Path) -> str:
    """Return what Alertmanager tells when a receiver refuses a notification."""
    with refusing() as port:
        files = {"alertmanager.yml": _ALERTMANAGER.format(refusing=port)}

        def arguments(port: int) -> tuple[str, ...]:
            return (
                "--config.file=alertmanager.yml",
                "--storage.path=data",
                f"--web.listen-address={LOOPBACK}:{port}",
                "--cluster.listen-address=",
            )

        # Debian's build looks for its templates in its working directory.
        if engine.shared is not None:
            directory.mkdir(parents=True, exist_ok=True)
            (directory / engine.shared.name).symlink_to(engine.shared)
        with running(engine, directory, files, arguments) as scene:
            ask(scene.port, "/api/v2/alerts", json.dumps([{"labels": {"alertname": "Provoked"}}]))
            return scene.await_metrics(f"{am.NOTIFICATIONS_FAILED.metric}{{", am.ALERTS.metric)


def of_loki(engine: Engine, directory: Path) -> str:
    """Return what Loki tells when it takes a line and refuses one that is too old."""
    with running(
        engine,
        directory,
        {"loki.yml": _LOKI.replace("@GRPC@", str(free()))},
        lambda _: ("-config.file=loki.yml",),
        ready_path="/ready",
    ) as scene:
        _push(scene, _LONG_AGO)
        _push(scene, None)
        ask(scene.port, "/loki/api/v1/labels")
        return scene.await_metrics(
            f"{loki.LINES_DISCARDED.metric}{{",
            f"{loki.LINES_RECEIVED.metric}{{",
            f"{loki.REQUESTS.metric}{{",
        )


def _push(scene: Scene, seconds: int | None) -> None:
    at = str((int(time.time()) if seconds is None else seconds) * 1_000_000_000)
    ask(
        scene.port,
        "/loki/api/v1/push",
        json.dumps({"streams": [{"stream": {"service": "provoked"}, "values": [[at, "provoked"]]}]}),
    )


def of_collector(engine: Engine, directory: Path) -> str:
    """Return what the collector tells when an exporter fails and the queue of another is full."""
    with socket.socket() as stuck:
        # Connections are accepted by the kernel and never answered.
        stuck.bind((LOOPBACK, 0))
        stuck.listen(64)
        otlp = free()
        files = {"otelcol.yml": _COLLECTOR.format(otlp=otlp, dead=free(), stuck=stuck.getsockname()[1])}
        with running(
            engine, directory, files, lambda _: ("--config=otelcol.yml",), ready_path="/metrics"
        ) as scene:
            for _ in range(4):
                for path, body in _OTLP.items():
                    ask(otlp, path, json.dumps(body))
            counters = (
                counter
                for kind in (
                    collector.SEND_FAILED,
                    collector.ENQUEUE_FAILED,
                    collector.ACCEPTED,
                    collector.FILTERED,
                )
                for counter in kind.values()
            )
            return scene.await_metrics(
                collector.QUEUE_SIZE.metric,
                *(f"{counter.metric}{{" for counter in counters),
                *(counter.metric for counter in (*collector.REFUSED.values(), *collector.SENT.values())),
            )


def of_tempo(engine: Engine, directory: Path) -> str:
    """Return what Tempo tells when it takes a trace and refuses the next."""
    otlp = free()
    with running(
        engine,
        directory,
        {"tempo.yml": _TEMPO.format(otlp=otlp, grpc=free())},
        lambda _: ("-target=all", "-config.file=tempo.yml"),
        ready_path="/ready",
    ) as scene:
        for _ in range(4):
            ask(otlp, "/v1/traces", json.dumps(_OTLP["/v1/traces"]))
        return scene.await_metrics(f"{tempo.SPANS_DISCARDED.metric}{{", f"{tempo.SPANS_RECEIVED.metric}{{")


#: Engine -> its scene.
SCENES: Mapping[str, Callable[[Engine, Path], str]] = MappingProxyType(
    {
        "prometheus": of_prometheus,
        "alertmanager": of_alertmanager,
        "loki": of_loki,
        "otelcol": of_collector,
        "tempo": of_tempo,
    }
)
