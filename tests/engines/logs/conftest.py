"""A real Loki on loopback, of this test run alone, that sends its alerts to a server of ours."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.engines import tied

from obs.stack import engines
from obs.stack.ports import free

#: Seconds; Loki waits for its own ring before it is ready. The limit only ends a failed test.
READY_WITHIN = 180.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_CONFIG = """
auth_enabled: false
server: {{http_listen_address: 127.0.0.1, http_listen_port: {http}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: warn}}
common:
  instance_addr: 127.0.0.1
  path_prefix: {data}
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
  storage: {{filesystem: {{chunks_directory: {data}/chunks, rules_directory: {data}/unused}}}}
schema_config:
  configs:
    - {{from: "2024-01-01", store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}
# Stories lie in the past, and most of them are in memory only.
ingester: {{wal: {{enabled: false}}, lifecycler: {{min_ready_duration: 0s}}, query_store_max_look_back_period: -1ns, max_chunk_age: 240h}}
querier: {{query_ingesters_within: 0s}}
query_range: {{cache_results: false}}
limits_config:
  allow_structured_metadata: true
  reject_old_samples: false
  discover_log_levels: false
  discover_service_name: []
  otlp_config:
    resource_attributes:
      ignore_defaults: true
      attributes_config:
        - {{action: index_label, attributes: [service, environment]}}
  max_query_lookback: 0s
  ingestion_rate_mb: 100
  ingestion_burst_size_mb: 200
  per_stream_rate_limit: 100MB
  per_stream_rate_limit_burst: 200MB
ruler:
  enable_api: true
  enable_alertmanager_v2: true
  alertmanager_url: {alertmanager}
  poll_interval: 1s
  rule_path: {data}/scratch
  storage: {{type: local, local: {{directory: {data}/rules}}}}
  ring: {{kvstore: {{store: inmemory}}}}
analytics: {{reporting_enabled: false}}
"""


@dataclass
class Received:
    """What the ruler has sent to the Alertmanager that this server plays."""

    alerts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Loki:
    """A running Loki: lines in, answers out."""

    url: str
    rules: Path
    received: Received

    def push(
        self, streams: Sequence[tuple[Mapping[str, str], Sequence[tuple[int, str, Mapping[str, str]]]]]
    ) -> None:
        """Send lines, each with its time in nanoseconds and its structured metadata."""
        body = {
            "streams": [
                {
                    "stream": dict(labels),
                    "values": [[str(at), line, dict(fields)] for at, line, fields in lines],
                }
                for labels, lines in streams
            ]
        }
        self.post("/loki/api/v1/push", body)

    def post(self, path: str, body: object) -> None:
        """Send JSON that Loki must take."""
        request = urllib.request.Request(  # noqa: S310 - the address of our own server
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with _direct.open(request, timeout=60) as answer:
            assert answer.status == 204

    def query(self, expression: str, at: float) -> list[dict[str, Any]]:
        """Return the labels of each series of the result at a time, in seconds since 1970."""
        parameters = urllib.parse.urlencode({"query": expression, "time": f"{at:.3f}"})
        result: list[dict[str, Any]] = self.ask(f"/loki/api/v1/query?{parameters}")["data"]["result"]
        return [series["metric"] for series in result]

    def formats(self, expression: str) -> bool:
        """Tell whether Loki's own parser takes a query."""
        try:
            self.ask(f"/loki/api/v1/format_query?{urllib.parse.urlencode({'query': expression})}")
        except urllib.error.HTTPError as error:
            error.close()
            return False
        return True

    def ask(self, path: str) -> Any:
        """Return the JSON at a path."""
        with _direct.open(f"{self.url}{path}", timeout=60) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    """Loki, built from source, with empty storage."""
    program = engines.install(["loki"], routes=["go"])["loki"].path
    data = tmp_path_factory.mktemp("loki")
    (data / "rules" / "fake").mkdir(parents=True)
    received = Received()
    with _alertmanager(received) as address:
        http = free()
        text = _CONFIG.format(http=http, grpc=free(), data=data, alertmanager=address)
        config, log = data / "loki.yml", data / "loki.log"
        config.write_text(text, encoding="utf-8")
        argv = [str(program), f"-config.file={config}"]
        with (
            log.open("wb") as output,
            tied.serving(argv, within=15.0, stdout=output, stderr=subprocess.STDOUT) as server,
        ):
            _await_ready(f"http://127.0.0.1:{http}", server, log)
            yield Loki(f"http://127.0.0.1:{http}", data / "rules" / "fake", received)


def _await_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            with _direct.open(f"{url}/ready", timeout=30) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        assert server.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.2)


class _alertmanager:  # noqa: N801 - used as a context only
    """A server that takes alerts as Alertmanager does."""

    def __init__(self, received: Received) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.alerts += json.loads(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
