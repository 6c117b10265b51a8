"""docker-compose.tls.yml on a real Docker engine: certificates asked for and shown on every hop."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.engines.compose import hops, page
from tests.engines.compose.engine import Docker
from tests.engines.compose.listening import beyond_loopback
from tests.engines.compose.stack import PUBLISHED, await_found

from obs.catalogue.exporters.blackbox import CERTIFICATE_EXPIRY
from obs.stack.certs import authority
from obs.stack.compose.tls import CERTIFICATES
from obs.stack.ports import free
from obs.stack.servers import SERVERS, SHOP

#: One process for all of them: they share one engine.
pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("compose")]

PROJECT = "obs-tls"
_UP = """
import dataclasses, json, sys
from pathlib import Path
from obs.stack.compose import driver
from obs.stack.compose.config import ComposeConfig
config = ComposeConfig(Path(sys.argv[1]), "obs-tls", ("demo",), json.loads(sys.argv[2]), tls=True)
if sys.argv[3] == "up":
    print(json.dumps({one.name: one.state for one in driver.up(config)}))
else:
    # As `obs stack down --purge` does it, which nobody tells of TLS.
    driver.down(dataclasses.replace(config, tls=False), volumes=True)
"""


@dataclass(frozen=True)
class Secured:
    """The stack under TLS: its state directory, ports, and what `up` told of each service."""

    directory: Path
    ports: Mapping[str, int]
    states: Mapping[str, str]
    start: Callable[[], dict[str, str]]

    def buy(self, context: ssl.SSLContext) -> str:
        """Order tea and return the trace; empty where it was not accepted."""
        trace = uuid.uuid4().hex
        bought = httpx.post(
            f"https://127.0.0.1:{self.ports['storefront']}/orders",
            json={"sku": "tea"},
            headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
            verify=context,
            trust_env=False,
            timeout=20,
        )
        return trace if bought.status_code == 201 else ""

    def trusted(self) -> ssl.SSLContext:
        """Return what trusts the authority of this moment."""
        return ssl.create_default_context(cafile=self.directory / "certs" / "ca.crt")

    def open(
        self, server: str, path: str, *, client: bool = True, scheme: str = "https", **query: str
    ) -> Any:
        """Return the JSON at `path` of a server, as a caller with or without a certificate."""
        headers = {}
        if server in ("prometheus", "alertmanager"):
            login = (self.directory / "secrets" / "web_authorization").read_text()
            headers["Authorization"] = f"Basic {login}"
        certificates, context = self.directory / "certs", self.trusted()
        if client:
            context.load_cert_chain(certificates / "client.crt", certificates / "client.key")
        url = f"{scheme}://127.0.0.1:{self.ports[server]}{path}"
        with httpx.Client(verify=context, trust_env=False, timeout=10) as caller:
            answer = caller.get(url, params=query or None, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the result of a PromQL expression."""
        found: list[dict[str, Any]] = self.open("prometheus", "/api/v1/query", query=expression)["data"][
            "result"
        ]
        return found


@pytest.fixture(scope="module")
def secured(docker: Docker, contents: dict[str, str], work: Path) -> Iterator[Secured]:
    """Start the stack with the overlay beside whatever else runs; remove all of it afterwards."""
    assert contents
    directory, ports = work / "tls", {name: free() for name in PUBLISHED}
    command = [sys.executable, "-c", _UP, str(directory), json.dumps(ports)]

    def run(action: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, action],
            env=dict(docker.environment),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def start() -> dict[str, str]:
        started = run("up")
        assert started.returncode == 0, started.stderr[-4000:]
        states: dict[str, str] = json.loads(started.stdout)
        return states

    try:
        yield Secured(directory, ports, start(), start)
    finally:
        ended = run("down")
    assert ended.returncode == 0, ended.stderr
    own = f"label=com.docker.compose.project={PROJECT}"
    assert docker.run("volume", "ls", "--quiet", "--filter", own) == ""


def test_every_service_is_healthy(secured: Secured) -> None:
    assert set(secured.states.values()) == {"ready"}
    assert len(secured.states) == 10


def test_a_golden_request_takes_every_hop(secured: Secured, contents: dict[str, str]) -> None:
    trace = secured.buy(secured.trusted())
    assert trace
    lines = f'{{service="storefront"}} | trace_id="{trace}"'
    start = str(int((time.time() - 3600) * 1e9))
    await_found(
        lambda: secured.open("loki", "/loki/api/v1/query_range", query=lines, start=start)["data"]["result"],
        lines,
    )
    # Spans reach the collector, its metrics of them reach Prometheus.
    calls = 'traces_spanmetrics_calls_total{service="payments", span_kind="SPAN_KIND_SERVER"}'
    await_found(lambda: secured.query(calls), calls)
    real = {*SERVERS, *SHOP} - {name for name, what in contents.items() if "STAND-IN" in what}
    up = "min by (service) (up) == 1"
    await_found(lambda: real <= {one["metric"]["service"] for one in secured.query(up)}, up)
    # What the collector tells of itself comes by its longest way.
    uptime = 'otelcol_process_uptime_seconds_total{service="collector", instance="collector"}'
    [own] = await_found(lambda: secured.query(uptime), uptime)
    assert set(own["metric"]) == {"__name__", "job", "service", "environment", "instance"}


def test_alerts_take_the_hop_to_alertmanager(secured: Secured) -> None:
    await_found(
        lambda: [
            alert
            for alert in secured.open("alertmanager", "/api/v2/alerts")
            if alert["labels"]["alertname"] == "Watchdog"
        ],
        "Watchdog",
    )


def test_prometheus_knows_when_the_certificates_end(secured: Secured) -> None:
    ends = f"min by (instance) ({CERTIFICATE_EXPIRY.metric} - time()) > 300 * 86400"
    expected = {*SERVERS, *SHOP, "client", "ca"}
    await_found(lambda: expected <= {one["metric"]["instance"] for one in secured.query(ends)}, ends)


@pytest.mark.parametrize(
    ("server", "path"),
    [
        ("prometheus", "/api/v1/query?query=1"),
        ("alertmanager", "/api/v2/status"),
        ("loki", "/loki/api/v1/labels"),
        ("collector", "/v1/logs"),
    ],
)
def test_who_shows_no_certificate_is_refused(secured: Secured, server: str, path: str) -> None:
    with pytest.raises(
        httpx.TransportError, match=r"certificate required|reset|disconnected|bad certificate"
    ):
        secured.open(server, path, client=False)


@pytest.mark.parametrize(
    "server", ["prometheus", "alertmanager", "loki", "collector", "grafana", "runbooks", "storefront"]
)
def test_nobody_speaks_without_tls(secured: Secured, server: str) -> None:
    # Servers of Go say so; the one of Python hangs up.
    with pytest.raises(httpx.HTTPError, match=r"400 Bad Request|disconnected|reset"):
        secured.open(server, "/", scheme="http")


def test_browsers_may_read_the_runbooks_without_a_certificate_of_their_own(secured: Secured) -> None:
    assert secured.open("runbooks", "/health", client=False)["status"] == "healthy"


_CALLER = ("-cert=/etc/obs/certs/client.crt", "-key=/etc/obs/certs/client.key")


def test_hops_that_are_not_published_want_a_certificate_as_well(
    secured: Secured, docker: Docker, contents: dict[str, str]
) -> None:
    assert secured.states["loki"] == "ready"

    def ask(scheme: str, hop: str, *options: str) -> str:
        """Ask from where another server is; return what went wrong."""
        ca = "-ca=/etc/obs/certs/ca.crt"
        probe = ("exec", f"{PROJECT}-loki-1", "/opt/obs/probe", ca, *options, f"{scheme}://{hop}")
        done = subprocess.run(
            ["docker", *probe],
            env=dict(docker.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode == 0) == (done.stderr == "")
        return done.stderr

    hops = ["collector:8888/metrics", "collector:8889/metrics", "collector:13133/", "runbooks:8705/health"]
    for hop in hops:
        assert ask("http", hop), hop
        # Whoever has a browser reads the pages; the others want to know who asks.
        assert ("certificate required" in ask("https", hop)) == hop.startswith("collector"), hop
        assert ask("https", hop, *_CALLER) == "", hop
    if "STAND-IN" not in contents["tempo"]:
        for hop in ("tempo:3200/ready", "tempo:4317/"):
            assert ask("http", hop), hop
            assert "certificate required" in ask("https", hop), hop
    # By its own way out the collector asks nobody who is there: that one is nobody else's.
    [told] = json.loads(docker.run("inspect", f"{PROJECT}-collector-1"))
    found = beyond_loopback(told["State"]["Pid"])
    assert found == {port.inside for port in SERVERS["collector"].ports}


def test_the_shop_answers_prometheus_over_tls_alone(secured: Secured, docker: Docker) -> None:
    up = 'min by (service) (up{job="services"}) == 1'
    await_found(lambda: {one["metric"]["service"] for one in secured.query(up)} == set(SHOP), up)
    for name, service in SHOP.items():
        url = f"http://{name}:{service.ports[0].inside}/metrics"
        done = subprocess.run(
            ["docker", "exec", f"{PROJECT}-prometheus-1", "wget", "-q", "-O", "-", url],
            env=dict(docker.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # It has found and reached the service, which hung up.
        assert done.returncode != 0, name
        assert (done.stdout, done.stderr) == ("", "wget: error getting response\n"), name


def test_no_key_and_no_password_is_shown_by_docker_or_printed(secured: Secured, docker: Docker) -> None:
    ids = docker.run("ps", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
    assert len(ids) == len(secured.states)
    shown = docker.run("inspect", *ids) + "".join(map(docker.printed, ids))
    texts = [file.read_text().splitlines()[1] for file in (secured.directory / "certs").glob("*.key")]
    assert len(texts) == len(SERVERS) + len(SHOP) + 1
    texts += [
        (secured.directory / "secrets" / name).read_text() for name in ("web_password", "web_authorization")
    ]
    assert not [text for text in texts if text in shown]


def test_no_key_is_readable_for_others(secured: Secured) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in (secured.directory / "certs").glob("*.key")}
    assert modes
    assert set(modes.values()) == {0o640}


def _serials(secured: Secured, docker: Docker, contents: Mapping[str, str]) -> dict[str, str]:
    """Return the serial number that each hop shows: to this machine what is published, to the storefront the others."""
    published = [
        f"127.0.0.1:{port}"
        for name, port in secured.ports.items()
        if "STAND-IN" not in contents.get(name, "") or name == "grafana"
    ]
    inside = [f"collector:{port.inside}" for port in SERVERS["collector"].ports]
    inside += [f"{name}:{SHOP[name].ports[0].inside}" for name in ("payments", "worker")]
    done = subprocess.run(
        ["docker", "exec", "--interactive", f"{PROJECT}-storefront-1", "python", "-", CERTIFICATES, *inside],
        input=Path(hops.__file__).read_text(encoding="utf-8"),
        env=dict(docker.environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {**hops.serials(str(secured.directory / "certs"), published), **json.loads(done.stdout)}


@contextlib.contextmanager
def _buying(secured: Secured) -> Iterator[list[str]]:
    """Order until the shop goes away, or shows what the authority of the beginning has not signed."""
    accepted: list[str] = []
    ended, context = threading.Event(), secured.trusted()

    def buy() -> None:
        with contextlib.suppress(httpx.HTTPError):
            while not ended.wait(0.05):
                accepted.extend(filter(None, [secured.buy(context)]))

    thread = threading.Thread(target=buy)
    thread.start()
    try:
        yield accepted
    finally:
        ended.set()
        thread.join()


def test_every_certificate_is_replaced_and_nothing_that_was_accepted_is_lost(
    secured: Secured, docker: Docker, contents: dict[str, str]
) -> None:
    # By a new authority: who still shows or trusts what the old one has signed is refused.
    before = _serials(secured, docker, contents)
    certs, up = page.rotation()
    assert (certs[0], up) == ("obs", ["obs", "stack", "up", "--runtime", "compose", "--tls"])
    words = [str(secured.directory) if word == ".obs" else word for word in certs[1:]]
    sold = 'shop_orders_total{service="storefront", result="paid"}'
    with _buying(secured) as accepted:
        await_found(lambda: len(accepted) > 5 and secured.query(f"{sold} > 5"), sold)
        moment = time.time()
        [then] = secured.query(f"{sold} @ {moment:.3f}")
        subprocess.run([sys.executable, "-m", "obs", *words], check=True, capture_output=True, timeout=60)
        assert set(secured.start().values()) == {"ready"}
    after = time.time()

    serials = _serials(secured, docker, contents)
    assert set(serials) == set(before)
    assert not [hop for hop, serial in serials.items() if serial == before[hop]]

    message = {"storefront": "order paid", "payments": "charge accepted"}
    for service, text in message.items():
        lines = f'{{service="{service}"}} |= "{text}"'
        found = _await_traces(secured, lines, accepted)
        assert {trace: found.count(trace) for trace in accepted} == dict.fromkeys(accepted, 1)
    [kept] = secured.query(f"{sold} @ {moment:.3f}")
    assert kept["value"][1] == then["value"][1]

    real = {*SERVERS, *SHOP} - {name for name, what in contents.items() if "STAND-IN" in what}
    fresh = f"min by (service) (up and timestamp(up) > {after:.3f}) == 1"
    await_found(lambda: real <= {one["metric"]["service"] for one in secured.query(fresh)}, fresh)
    test_alerts_take_the_hop_to_alertmanager(secured)
    certificates = sorted((secured.directory / "certs").glob("*.crt"))
    ends = {file.stem: authority.read(file.read_bytes()).ends.timestamp() for file in certificates}
    told = secured.query(CERTIFICATE_EXPIRY.metric)
    assert ends.items() <= {one["metric"]["instance"]: float(one["value"][1]) for one in told}.items()


def _await_traces(secured: Secured, query: str, expected: list[str]) -> list[str]:
    await_found(lambda: set(expected) <= set(_traces(secured, query)), query)
    return _traces(secured, query)


def _traces(secured: Secured, query: str) -> list[str]:
    start = str(int((time.time() - 3600) * 1e9))
    found = secured.open("loki", "/loki/api/v1/query_range", query=query, start=start, limit="5000")
    return [stream["stream"]["trace_id"] for stream in found["data"]["result"] for _ in stream["values"]]
