"""The backends of the stack with the committed files: the command lines of compose, localised, on free ports.

One set of processes serves all tests of this folder. Tempo takes part where its program is given: on PATH
or by OBS_TEMPO.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import grpc
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from obs.stack import engines, process, secret_files
from obs.stack.localise import Site, localise
from obs.stack.ports import free
from obs.stack.process import Program, Running
from obs.stack.servers import SERVERS, SHOP

ROOT = Path(__file__).parents[3]
#: Seconds; the limits only end a failed test.
READY_WITHIN = 180.0
WITHIN = 60.0
SERVED = ("alertmanager", "collector", "loki", "prometheus", "tempo")
#: What a server's program is called, where it is called otherwise.
ENGINES = {"collector": "otelcol"}

T = TypeVar("T")

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder in one worker, where the distribution heeds groups: they share processes."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.xdist_group("backends"))


@dataclass
class Backends:
    """The running backends: start and stop them, send them telemetry, ask them."""

    site: Site
    programs: Mapping[str, str]
    running: dict[str, Running] = field(default_factory=dict)

    @property
    def secrets(self) -> Path:
        """Directory of the secrets."""
        return self.site.directory / "secrets"

    def has(self, name: str) -> bool:
        """Tell whether this server can run here."""
        return name in self.programs

    def directory(self, name: str) -> Path:
        """Directory with configuration and data of a server."""
        return self.site.directory / name

    def url(self, name: str) -> str:
        """Address of a server."""
        return f"http://{self.site.address(name, 'http')}"

    def log(self, name: str) -> str:
        """What the server wrote."""
        return (self.site.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def command(self, name: str) -> list[str]:
        """Return the command line of compose, with the addresses and paths of this machine."""
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
        arguments = [_DEFAULT.sub(r"\1", text) for text in compose["services"][name]["command"]]
        return [self.programs[name], *(localise(text, name, self.site) for text in arguments)]

    def start(self, *names: str) -> None:
        """Start these servers side by side and wait until each is ready."""
        for name in names:
            self.running[name] = process.start(
                Program(
                    name=name,
                    argv=tuple(self.command(name)),
                    log=self.site.directory / f"{name}.log",
                    directory=self.directory(name),
                    # Tempo 3.0 does not end by itself when it was asked something in its last half minute.
                    stop_within=5.0 if name == "tempo" else WITHIN,
                )
            )
        for name in names:
            role, path = SERVERS[name].ready
            self.await_answer(f"http://{self.site.address(name, role)}{path}", within=READY_WITHIN)

    def stop(self, *names: str) -> None:
        """End these servers as an operator does, whatever they take for it."""
        for name in names:
            process.stop(self.running.pop(name))

    def ask(self, url: str, body: bytes | None = None, *, login: bool = True) -> tuple[int, bytes]:
        """Return status and body of GET, or of POST with a `body` of JSON."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        if login:
            headers["Authorization"] = "Basic " + secret_files.read(self.secrets / "web_authorization")
        asked = urllib.request.Request(url, body, headers)  # noqa: S310 - loopback
        try:
            with _direct.open(asked, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def await_answer(self, url: str, *, within: float = WITHIN) -> bytes:
        """Return the first answer with status 200."""

        def answer() -> bytes | None:
            with contextlib.suppress(OSError):
                status, body = self.ask(url)
                return body or b" " if status == 200 else None
            return None

        return poll(answer, url, within=within)

    def json(self, name: str, path: str, **parameters: str) -> Any:
        """Return the JSON that a server answers."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        status, body = self.ask(self.url(name) + path + query)
        assert status == 200, (status, body)
        return json.loads(body)

    def query(self, expression: str, **parameters: str) -> list[dict[str, Any]]:
        """Return the result of PromQL at this moment."""
        found: list[dict[str, Any]] = self.json(
            "prometheus", "/api/v1/query", query=expression, **parameters
        )["data"]["result"]
        return found

    def await_result(self, expression: str, *, within: float = WITHIN) -> list[dict[str, Any]]:
        """Return the first result of PromQL that is not empty."""
        return poll(lambda: self.query(expression), expression, within=within)

    def lines(self, query: str, **parameters: str) -> list[dict[str, Any]]:
        """Return the streams of a LogQL query over the last hour; ids stand among their labels."""
        found: list[dict[str, Any]] = self.json(
            "loki", "/loki/api/v1/query_range", query=query, limit="1000", **parameters
        )["data"]["result"]
        return found

    def push(self, name: str, path: str, document: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send OTLP as JSON."""
        body = json.dumps(document).encode()
        return self.ask(self.url(name) + path, body)

    def push_logs(self, resource: Mapping[str, str], *records: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send log records of one resource."""
        group = {"resource": {"attributes": attributes(resource)}, "scopeLogs": [{"logRecords": records}]}
        return self.push("loki", "/otlp/v1/logs", {"resourceLogs": [group]})

    def push_request(
        self, service: str, *, trace: bytes, server: str = "tempo", error: bool = False, **fields: str
    ) -> None:
        """Send a trace of one request that has just ended, to Tempo or to the collector."""
        now = time.time_ns()
        span = Span(
            trace_id=trace,
            span_id=trace[:8],
            name="GET /orders",
            kind=Span.SPAN_KIND_SERVER,
            start_time_unix_nano=now - 50_000_000,
            end_time_unix_nano=now,
            attributes=pairs(fields),
            status=Status(code=Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_OK),
        )
        resource = Resource(
            attributes=pairs({"service.name": service, "deployment.environment.name": "local"})
        )
        group = ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=[span])])
        stub: Any = TraceServiceStub  # It has no types.
        with grpc.insecure_channel(self.site.address(server, "otlp_grpc")) as channel:
            stub(channel).Export(ExportTraceServiceRequest(resource_spans=[group]), timeout=30)

    def push_counter(
        self,
        resource: Mapping[str, str],
        metric: str,
        *,
        at: float,
        born: float,
        point: Mapping[str, str],
        collected: bool = False,
    ) -> tuple[int, bytes]:
        """Send the value 1 of a counter as a job does that ends; times are seconds since the epoch.

        It goes to Prometheus as from the collector, or, `collected`, to the collector.
        """
        sample = {
            "asInt": "1",
            "timeUnixNano": str(int(at * 1e9)),
            "startTimeUnixNano": str(int(born * 1e9)),
            "attributes": attributes(point),
        }
        counter = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [sample]}
        group = {
            "resource": {"attributes": attributes(resource)},
            "scopeMetrics": [{"metrics": [{"name": metric, "unit": "{run}", "sum": counter}]}],
        }
        if collected:
            url = f"http://{self.site.address('collector', 'otlp_http')}/v1/metrics"
            return self.ask(url, json.dumps({"resourceMetrics": [group]}).encode(), login=False)
        return self.push("prometheus", "/api/v1/otlp/v1/metrics", {"resourceMetrics": [group]})

    @contextlib.contextmanager
    def scraped(self, service: str, *pages: str) -> Iterator[list[str]]:
        """Have a page of OpenMetrics scraped as that of a service; what is appended to the list is shown next."""
        shown = [pages[0]]
        file = self.directory("prometheus") / "targets" / f"{service}.json"
        with exposing(shown) as port:
            labels = {"service": service, "environment": "local", "instance": f"{service}-1"}
            group = {"targets": [f"127.0.0.1:{port}"], "labels": labels}
            file.write_text(json.dumps([group]), encoding="utf-8")
            try:
                self.await_result(f'up{{service="{service}"}} == 1')
                yield shown
            finally:
                file.unlink()


@contextlib.contextmanager
def exposing(pages: list[str]) -> Iterator[int]:
    """Serve OpenMetrics, the last of `pages`, and yield the port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (pages[-1] + "# EOF\n").encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return attributes in OTLP's form."""
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def pairs(values: Mapping[str, str]) -> list[KeyValue]:
    """Return attributes as OTLP's own messages."""
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]


def poll(ask: Callable[[], T | None], what: str, *, within: float = WITHIN) -> T:
    """Return the first answer of `ask` that is not empty."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"nothing came: {what}"
        time.sleep(0.1)
    return answer


def tempo_program() -> str | None:
    """Return the program of Tempo that is given, or None."""
    return os.environ.get("OBS_TEMPO") or shutil.which("tempo")


def _prepare(directory: Path, programs: Mapping[str, str]) -> Backends:
    numbers = {
        (server.name, port.role): free()
        for server in (*SERVERS.values(), *SHOP.values())
        for port in server.ports
    }
    backends = Backends(Site(directory, numbers), programs)
    secret_files.ensure(backends.secrets)
    web = secret_files.web_config(backends.secrets)
    for name in SERVED:
        folder = backends.directory(name)
        (folder / "data").mkdir(parents=True)
        committed = ROOT / "collector" if name == "collector" else ROOT / "stack" / name
        for file in committed.glob(f"{name}.yml"):
            text = localise(file.read_text(encoding="utf-8"), name, backends.site)
            # Nobody waits a quarter of a minute for a scrape.
            text = re.sub(r"(scrape|evaluation)_interval: 15s", r"\1_interval: 1s", text).replace(
                "scrape_timeout: 10s", "scrape_timeout: 1s"
            )
            (folder / file.name).write_text(text, encoding="utf-8")
    for name in ("prometheus", "alertmanager"):
        (backends.directory(name) / "web.yml").write_text(web, encoding="utf-8")
    alerts = ROOT / "alerts"
    shutil.copytree(alerts / "prometheus", backends.directory("prometheus") / "rules")
    shutil.copytree(alerts / "loki", backends.directory("loki") / "rules" / "fake")
    shutil.copytree(alerts / "templates", backends.directory("alertmanager") / "templates")
    shutil.copy(alerts / "alertmanager.yml", backends.directory("alertmanager") / "alertmanager.yml")
    (backends.directory("prometheus") / "targets").mkdir()
    (directory / "log" / "services").mkdir(parents=True)
    return backends


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """Prometheus, Alertmanager, Loki and, where it is given, Tempo."""
    names = [name for name in SERVED if name != "tempo"]
    found = engines.install([ENGINES.get(name, name) for name in names], routes=["go"])
    programs = {name: str(found[ENGINES.get(name, name)].path) for name in names}
    tempo = tempo_program()
    if tempo:
        programs["tempo"] = tempo
    running = _prepare(tmp_path_factory.mktemp("backends"), programs)
    try:
        running.start(*programs)
        yield running
    finally:
        running.stop(*running.running)
