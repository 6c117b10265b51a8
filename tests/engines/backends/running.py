"""The backends of the stack as processes: started with the command lines of compose, asked and sent telemetry."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from tests.engines.backends import otlp, pages
from tests.engines.waiting import await_

from obs.stack import process, secret_files
from obs.stack.localise import Site, localise
from obs.stack.process import Program, Running
from obs.stack.servers import SERVERS

ROOT = Path(__file__).parents[3]
#: Seconds; the limits only end a failed test.
READY_WITHIN = 180.0
WITHIN = 120.0

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
#: A variable with a default in which no other stands.
_DEFAULT = re.compile(r"\$\{\w+:-([^${}]*)\}")


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
        arguments = [_with_defaults(text) for text in compose["services"][name]["command"]]
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
            status, body = self.ask(url)
            return body or b" " if status == 200 else None

        return await_(answer, url, within=within, instead=self._tails)

    def _tails(self) -> str:
        """Return the end of every log."""
        return "\n".join(f"{name}: {self.log(name)[-1000:]}" for name in self.running)

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
        return await_(
            lambda: self.query(expression), expression, within=within, instead=lambda: self.query("up")
        )

    def lines(self, query: str, **parameters: str) -> list[dict[str, Any]]:
        """Return the streams of a LogQL query over the last hour; ids stand among their labels."""
        found: list[dict[str, Any]] = self.json(
            "loki", "/loki/api/v1/query_range", query=query, limit="1000", **parameters
        )["data"]["result"]
        return found

    def push(self, name: str, path: str, document: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send OTLP as JSON."""
        return self.ask(self.url(name) + path, json.dumps(document).encode())

    def push_logs(self, resource: Mapping[str, str], *records: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send log records of one resource to Loki."""
        return self.push("loki", "/otlp/v1/logs", otlp.logs(resource, records))

    def push_request(self, service: str, *, trace: bytes, error: bool = False, **fields: str) -> None:
        """Send a trace of one request that has just ended to Tempo."""
        stub: Any = TraceServiceStub  # It has no types.
        with grpc.insecure_channel(self.site.address("tempo", "otlp_grpc")) as channel:
            stub(channel).Export(otlp.request(service, trace=trace, error=error, fields=fields), timeout=30)

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
        """Send the value 1 of a counter to Prometheus as from the collector, or, `collected`, to the collector."""
        document = otlp.counter(resource, metric, at=at, born=born, point=point)
        if collected:
            url = f"http://{self.site.address('collector', 'otlp_http')}/v1/metrics"
            return self.ask(url, json.dumps(document).encode(), login=False)
        return self.push("prometheus", "/api/v1/otlp/v1/metrics", document)

    @contextlib.contextmanager
    def scraped(self, service: str, page: str) -> Iterator[list[str]]:
        """Have a page of OpenMetrics scraped as that of a service; what is appended to the list is shown next."""
        shown = [page]
        file = self.directory("prometheus") / "targets" / f"{service}.json"
        with pages.exposing(shown) as port:
            labels = {"service": service, "environment": "local", "instance": f"{service}-1"}
            group = {"targets": [f"127.0.0.1:{port}"], "labels": labels}
            file.write_text(json.dumps([group]), encoding="utf-8")
            try:
                self.await_result(f'up{{service="{service}"}} == 1')
                yield shown
            finally:
                file.unlink()


def _with_defaults(text: str) -> str:
    """Give each variable of compose its default, the innermost first."""
    while (filled := _DEFAULT.sub(r"\1", text)) != text:
        text = filled
    return text
