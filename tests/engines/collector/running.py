"""The collector of the stack with the committed configuration, on free ports and in a directory of a test."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.engines import tied
from tests.engines.waiting import await_

from obs.stack import bundle, engines, tether
from obs.stack.identity import started_at
from obs.stack.localise import Site, localise
from obs.stack.ports import answers, free
from obs.stack.servers import SERVERS

#: As docker-compose.yml and the native runtime start it.
GATE = "--feature-gates=stanza.synchronousLogEmitter"
_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: .*)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

#: Labels and value.
Sample = tuple[dict[str, str], float]


def program(name: str) -> str:
    """Return the path of an engine, installed if need be."""
    return str(engines.install([name], routes=["go"])[name].path)


def site(directory: Path, **ports: int) -> Site:
    """Return places for all servers on free ports; `ports` are those that are given, as `loki_http`."""
    numbers = {
        (server.name, port.role): ports.get(f"{server.name}_{port.role}") or free()
        for server in SERVERS.values()
        for port in server.ports
    }
    return Site(directory, numbers)


def configure(place: Site, owner: str, *files: Path) -> list[Path]:
    """Write committed configuration with the addresses and paths of `place`, and all that it asks for."""
    for server in ("collector/data", "log/services", "secrets", owner):
        (place.directory / server).mkdir(parents=True, exist_ok=True)
    # Base64 of obs:test-password.
    secret = place.directory / "secrets" / "web_authorization"
    secret.write_text("b2JzOnRlc3QtcGFzc3dvcmQ=", encoding="utf-8")
    written = []
    for file in files:
        target = place.directory / owner / file.name
        target.write_text(localise(file.read_text(encoding="utf-8"), owner, place), encoding="utf-8")
        written.append(target)
    return written


class Collector:
    """A collector that may be killed and started again; its queues and offsets stay."""

    def __init__(
        self,
        place: Site,
        *,
        environment: Mapping[str, str] | None = None,
        overlays: Sequence[str] = (),
        further: Sequence[str] = (),
        client: ssl.SSLContext | None = None,
    ) -> None:
        self.place = place
        self.client = client
        self.environment = dict(environment or {})
        sources = [bundle.path("collector", name) for name in ("collector.yml", *further)]
        self.files = configure(place, "collector", *sources)
        for number, text in enumerate(overlays):
            overlay = place.directory / "collector" / f"overlay-{number}.yml"
            overlay.write_text(text, encoding="utf-8")
            self.files.append(overlay)
        self.log = place.directory / "collector.log"
        self.logs = place.directory / "log" / "services"
        self._process: subprocess.Popen[bytes] | None = None

    def port(self, role: str) -> int:
        """Return the port of a role of the collector."""
        return self.place.numbers["collector", role]

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [program("otelcol"), GATE, *(f"--config={file}" for file in self.files)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                # The end of a worker of xdist, however it comes, ends the group of what is tied to it.
                start_new_session=True,
            )
        tether.tie(self._process.pid, started_at(self._process.pid) or "ended at once")
        await_(
            self._ready,
            "the collector is ready",
            instead=lambda: self.log.read_text(errors="replace")[-4000:],
        )

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text(errors="replace")[-4000:]
        try:
            return self.get("health", "/")[0] == 200
        except OSError:
            return False

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal and wait until it has ended."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        tether.untie(self._process.pid)
        self._process = None

    def connection(self, role: str, timeout: float = 30.0) -> http.client.HTTPConnection:
        """Return a connection to one of its ports, with TLS where it was told whom to show."""
        port = self.port(role)
        if self.client is None:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=self.client)

    def get(self, role: str, path: str) -> tuple[int, str]:
        """Return the status and the text that GET answers."""
        connection = self.connection(role)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def send(self, signal_: str, body: bytes, timeout: float = 30.0) -> int:
        """POST a request as protobuf and return the status; 0 when there was no answer in time."""
        connection = self.connection("otlp_http", timeout)
        try:
            connection.request("POST", f"/v1/{signal_}", body, {"Content-Type": "application/x-protobuf"})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def scrape(self, role: str = "metrics") -> str:
        """Return what it tells on one of its two ports for Prometheus."""
        return self.get(role, "/metrics")[1]

    def samples(self, metric: str, role: str = "metrics") -> list[Sample]:
        """Return the samples of a metric."""
        return [(labels, number) for name, labels, number in parse(self.scrape(role)) if name == metric]

    def total(self, metric: str, role: str = "metrics", **labels: str) -> float:
        """Return the sum of the samples of a metric that carry these labels."""
        return sum(number for found, number in self.samples(metric, role) if labels.items() <= found.items())


def parse(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield name, labels and value of each sample of a scrape."""
    for line in text.splitlines():
        if not line.startswith("#") and (match := _SAMPLE.fullmatch(line)):
            yield match["name"], dict(_LABEL.findall(match["labels"] or "")), float(match["value"])


@contextlib.contextmanager
def running(collector: Collector) -> Iterator[Collector]:
    """Run a collector for the time of a block."""
    try:
        collector.start()
        yield collector
    finally:
        collector.end()


@contextlib.contextmanager
def loki(place: Site) -> Iterator[str]:
    """Run the Loki of the stack with its committed configuration; yield its address."""
    (file,) = configure(place, "loki", bundle.path("stack", "loki", "loki.yml"))
    (place.directory / "loki" / "rules" / "fake").mkdir(parents=True)
    log = place.directory / "loki.log"
    port = place.numbers["loki", "http"]
    argv = [program("loki"), f"-config.file={file}"]
    with (
        log.open("wb") as output,
        tied.serving(argv, within=20.0, stdout=output, stderr=subprocess.STDOUT) as server,
    ):
        await_(
            lambda: server.poll() is not None or answers(port, "/ready"),
            "Loki is ready",
            within=180,
            instead=lambda: log.read_text(errors="replace")[-4000:],
        )
        assert server.poll() is None, log.read_text(errors="replace")[-4000:]
        yield f"http://127.0.0.1:{port}"
    shutil.rmtree(place.directory / "loki", ignore_errors=True)
