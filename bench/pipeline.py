"""The collector of the stack under the limits of its container, with a sink behind it instead of the engines."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.measure import clean_environment
from bench.sink import Sink

#: What docker-compose.yml gives the collector: processors, memory, and the share of it that Go aims at.
PROCESSORS, MEGABYTES, GO_MEGABYTES = 2, 512, 410
_GATE = "--feature-gates=stanza.synchronousLogEmitter"
#: Three quarters of the container refuse, a fifth of it before that: a share of it, not of this machine.
_LIMITS = {"limit_mib": MEGABYTES * 3 // 4, "spike_limit_mib": MEGABYTES // 5}
_TICK = os.sysconf("SC_CLK_TCK")
_WAIT = re.compile(r"OBS_SAMPLING_WAIT:-(\d+)s")
_HIGH = re.compile(r"VmHWM:\s+(\d+) kB")
_SAMPLE = re.compile(r"(?m)^(\w+)\{(.*)\} (\S+)$")


@dataclass(frozen=True)
class Pipeline:
    """A collector that runs: what it takes, what it costs."""

    pid: int
    port: int
    metrics: int
    directory: Path

    @property
    def logs(self) -> Path:
        """Where services write the files of their lines."""
        return self.directory / "log" / "services"

    def seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def peak(self) -> int:
        """Return the most bytes of it that were in memory at a time."""
        found = _HIGH.search(Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"))
        assert found is not None
        return int(found[1]) * 1024

    def total(self, metric: str, label: str = "") -> float:
        """Return the sum of the samples of a metric of its own, of those whose labels hold this text."""
        import urllib.request

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.metrics}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return sum(
            float(value)
            for name, labels, value in _SAMPLE.findall(text)
            if name == metric and label in labels
        )

    def settle(self, is_done: Callable[[], bool], within: float = 120.0) -> None:
        """Wait until it has nothing left to do.

        Raises:
            SystemExit: it still had after `within` seconds.
        """
        deadline = time.monotonic() + within
        while not is_done():
            if time.monotonic() > deadline:
                raise SystemExit(f"the collector did not come to an end within {within:.0f} s")
            # Each look costs the collector a scrape, which is counted as well.
            time.sleep(0.3)


@contextmanager
def stack(sink: Sink, directory: Path, variables: Mapping[str, str], *, traces: bool) -> Iterator[Pipeline]:
    """Run the committed configuration for a block; `sink` stands for Loki, Prometheus and, by a relay, Tempo."""
    from obs.stack import bundle
    from obs.stack.localise import Site, localise
    from obs.stack.ports import free
    from obs.stack.servers import SERVERS

    numbers = {(server.name, port.role): free() for server in SERVERS.values() for port in server.ports}
    numbers["loki", "http"] = numbers["prometheus", "http"] = sink.server_port
    site = Site(directory, numbers)
    for name in ("collector/data", "log/services", "secrets"):
        (directory / name).mkdir(parents=True)
    (directory / "secrets" / "web_authorization").write_text("b2JzOmJlbmNo", encoding="ascii")
    text = bundle.path("collector", "collector.yml").read_text(encoding="utf-8")
    relay = {"relay": _relay(numbers["tempo", "otlp_grpc"], sink.server_port)}
    files = {
        "base": localise(text, "collector", site),
        "limits": json.dumps({"processors": {"memory_limiter": _LIMITS}}),
    }
    with (
        _run("relay", directory, relay, free()) if traces else nullcontext(),
        _run("collector", directory, files, numbers["collector", "health"], variables) as pid,
    ):
        yield Pipeline(pid, numbers["collector", "otlp_http"], numbers["collector", "metrics"], directory)


def decision_wait() -> float:
    """Return the seconds that a trace of the committed configuration waits for its decision."""
    from obs.stack import bundle

    found = _WAIT.search(bundle.path("collector", "collector.yml").read_text(encoding="utf-8"))
    assert found is not None
    return float(found[1])


@contextmanager
def plain(sink: Sink, directory: Path) -> Iterator[Pipeline]:
    """Run the same binary for a block as published figures have it: taken in, batched, sent on."""
    from obs.stack.ports import free

    port, metrics, health = free(), free(), free()
    kinds = ("traces", "metrics", "logs")
    configuration = {
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health}"}},
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "processors": {"memory_limiter": {"check_interval": "1s", **_LIMITS}},
        "exporters": {
            "otlp_http": {
                "endpoint": f"http://127.0.0.1:{sink.server_port}",
                "sending_queue": {
                    "block_on_overflow": True,
                    "batch": {"flush_timeout": "200ms", "min_size": 8192},
                },
            }
        },
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": _readers(metrics)},
            "pipelines": {
                kind: {"receivers": ["otlp"], "processors": ["memory_limiter"], "exporters": ["otlp_http"]}
                for kind in kinds
            },
        },
    }
    with _run("plain", directory, {"plain": json.dumps(configuration)}, health) as pid:
        yield Pipeline(pid, port, metrics, directory)


def _readers(port: int) -> object:
    options = {"without_type_suffix": False, "without_units": False, "without_scope_info": True}
    return {
        "readers": [{"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": port, **options}}}}]
    }


def _relay(port: int, to: int) -> str:
    """Return the configuration of who takes spans by gRPC, for the sink speaks HTTP only."""
    return json.dumps(
        {
            "receivers": {
                "otlp": {
                    "protocols": {"grpc": {"endpoint": f"127.0.0.1:{port}", "max_recv_msg_size_mib": 16}}
                }
            },
            "exporters": {
                "otlp_http": {
                    "endpoint": f"http://127.0.0.1:{to}",
                    "compression": "none",
                    "sending_queue": {"enabled": False},
                }
            },
            "extensions": {"health_check": {"endpoint": "127.0.0.1:${env:RELAY_HEALTH}"}},
            "service": {
                "extensions": ["health_check"],
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp_http"]}},
            },
        }
    )


@contextmanager
def _run(
    name: str,
    directory: Path,
    files: Mapping[str, str],
    health: int,
    variables: Mapping[str, str] | None = None,
) -> Iterator[int]:
    from obs.stack import engines, process
    from obs.stack.ports import Endpoint

    engine = engines.find("otelcol")
    if engine is None:
        raise SystemExit("there is no collector here: obs stack install otelcol")
    paths = []
    for key, text in files.items():
        path = directory / f"{name}-{key}.yml"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    environment = {
        **clean_environment(),
        "GOMAXPROCS": str(PROCESSORS),
        "GOMEMLIMIT": f"{GO_MEGABYTES}MiB",
        "RELAY_HEALTH": str(health),
        **(variables or {}),
    }
    running = process.start(
        process.Program(
            name=name,
            argv=(str(engine.path), _GATE, *(f"--config={path}" for path in paths)),
            log=directory / f"{name}.log",
            endpoint=Endpoint(name, health, "/"),
            environment=environment,
            ready_within=120.0,
        )
    )
    try:
        yield running.pid
    finally:
        process.stop(running)
