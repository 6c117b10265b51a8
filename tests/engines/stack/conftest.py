"""One running stack for all tests of this folder: real engines, the demo shop on them, a real webhook receiver.

Every file that asks it carries `xdist_group("stack")`, so that one worker runs all of them on the one stack. What
stops engines has stacks of its own and the group "outage": it runs beside.
"""

from __future__ import annotations

import random
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engines.stack import load, stand_in
from tests.engines.stack.running import RunningStack
from tests.engines.stack.shop import Shop
from tests.engines.stack.story import Story, happen, order_slowly

from obs.stack import bundle, engines, native
from obs.stack.certs.authority import now
from obs.stack.certs.folder import Folder
from obs.stack.certs.renewal import Wanted, renew
from obs.stack.certs.subjects import subjects
from obs.stack.engine import Engine
from obs.stack.native import NativeConfig
from obs.stack.ports import free
from obs.stack.servers import FULL, SERVERS
from obs.verify.webhook import Webhook

#: Grafana cannot be had where CI runs; who reads its provisioning is checked elsewhere.
LEFT_OUT = "grafana"
_SERVERS = tuple(name for name in FULL if name != LEFT_OUT)
_ENGINES = ("prometheus", "promtool", "alertmanager", "amtool", "loki", "otelcol")

#: Fires on an answer that nobody but its test causes: the series of that status begins at one.
FIRST_EVENT = """
groups:
  - name: first-event
    rules:
      - alert: FirstEvent
        expr: >-
          sum by (service, environment) (increase(
          http_server_request_duration_seconds_count{service="storefront",http_response_status_code="422"}[5m])) > 0
        labels: {category: http, severity: page, team: shop}
        annotations: {summary: "the first answer of its kind"}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what ripens do so while the other tests run, in whatever order these come."""
    items.sort(key=lambda item: item.get_closest_marker("ripens") is not None)


@dataclass(frozen=True)
class Scene:
    """The stack, the shop, what Alertmanager has notified, and what happened before the first test."""

    stack: RunningStack
    shop: Shop
    notified: Webhook
    story: Story


@dataclass(frozen=True)
class TraceStore:
    """What keeps the traces, and the environment in which the stack finds it."""

    name: str
    environment: Mapping[str, str]


@pytest.fixture(scope="session")
def trace_store(tmp_path_factory: pytest.TempPathFactory) -> TraceStore:
    """Return a real Tempo where there is one, else the recorder in its place."""
    known = engines.find("tempo")
    if known is not None:
        return TraceStore(f"tempo {known.version}", {})
    program = stand_in.write(tmp_path_factory.mktemp("recorder") / "tempo")
    return TraceStore("recorder", {"OBS_TEMPO": str(program)})


@pytest.fixture(scope="session")
def scene(
    tmp_path_factory: pytest.TempPathFactory,
    installed: Callable[..., dict[str, Engine]],
    trace_store: TraceStore,
) -> Iterator[Scene]:
    """Start everything once and let the story happen.

    Scrapes come every two seconds and every rule of Prometheus every five, so that nothing waits for the slow
    ones; everything else is as committed.
    """
    engines.install(_ENGINES, routes=["go"])
    directory = tmp_path_factory.mktemp("stack")
    shop = Shop()
    # Nothing here shows them; the runbook service tells when they end.
    wanted = Wanted(lifetime=timedelta(days=90), before=timedelta(days=30))
    renew(Folder.of(directory / "state"), subjects(), wanted, now())
    rules = directory / "first-event.yml"
    rules.write_text(FIRST_EVENT, encoding="utf-8")
    with Webhook() as notified:
        config = NativeConfig(
            directory=directory / "state",
            servers=_SERVERS,
            ports=free_ports(),
            # As the runtime does by itself: no rules about who does not run.
            rules=[*hurried(directory / "rules", re.compile(rf"(?!{LEFT_OUT}\b)"), interval="5s"), rules],
            loki_rules=[bundle.path("alerts", "loki")],
            targets=shop.targets(),
            alertmanager_config=routes(directory, notified.url),
            scrape_interval="2s",
            evaluation_interval="2s",
            routes=["go"],
        )
        try:
            stack = RunningStack.start(config, trace_store.name, trace_store.environment)
            data = directory / "shop"
            data.mkdir()
            shop.start(data, stack.services_log, stack.url("collector"))
            # A job that ends before anybody could scrape it pushes what it counted.
            nightly = load.Sender(load.samples(stack.url("collector"), "nightly"), rate=1)
            golden = order_slowly(shop)
            with _customers(shop):
                nightly.start()
                yield Scene(stack, shop, notified, happen(stack, shop, golden))
                nightly.stop()
        finally:
            shop.stop()
            native.down(config.directory)


@pytest.fixture(autouse=True)
def _tell_what_was_not_run(request: pytest.FixtureRequest, note: Callable[[str], None]) -> None:
    if "trace_store" in request.fixturenames and request.getfixturevalue("trace_store").name == "recorder":
        note("not run: tempo (no program found; a recorder of ours stood in its place)")
    if "scene" in request.fixturenames:
        note(f"not run: the rules and the dashboard about {LEFT_OUT} (it has no part in this stack)")


def free_ports() -> dict[str, int]:
    """Return a free port for every role of every server."""
    return {f"{server.name}.{port.role}": free() for server in SERVERS.values() for port in server.ports}


def routes(directory: Path, webhook: str) -> Path:
    """Write the generated routes with the address of `webhook` in every receiver; their waits stay."""
    committed = bundle.path("alerts", "alertmanager.yml")
    text = re.sub(r'url: "https?://[^"]+"', f'url: "{webhook}"', committed.read_text(encoding="utf-8"))
    file = directory / "alertmanager.yml"
    file.write_text(text, encoding="utf-8")
    shutil.copytree(bundle.path("alerts", "templates"), directory / "templates")
    return file


def impatient(directory: Path, servers: Sequence[str]) -> list[Path]:
    """Copy the rules about these servers and the fleet with every `for` and pace cut to a second or two."""
    about = re.compile(rf"({'|'.join([*servers, 'fleet'])})\b")
    return hurried(directory, about, interval="1s", hold="2s")


def hurried(directory: Path, about: re.Pattern[str], *, interval: str, hold: str = "") -> list[Path]:
    """Copy the rule files of Prometheus whose names match; groups come every `interval`, alerts `hold` that long."""
    directory.mkdir()
    found = []
    for shipped in sorted(bundle.path("alerts", "prometheus").glob("*.yml")):
        if about.match(shipped.stem):
            text = re.sub(r"\binterval: \w+", f"interval: {interval}", shipped.read_text(encoding="utf-8"))
            file = directory / shipped.name
            file.write_text(re.sub(r"\bfor: \w+", f"for: {hold}", text) if hold else text, encoding="utf-8")
            found.append(file)
    return found


class _customers:  # noqa: N801 - read as a word in a with statement
    """A few requests a second from a thread of its own, some of which go wrong."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        dice = random.Random(6)
        while not self._ended.wait(0.25):
            try:
                self._shop.call("GET", "/products/tea")
                self._shop.buy(quantity=100 if dice.random() < 0.1 else 1)
                if dice.random() < 0.1:
                    self._shop.call("GET", "/products/none")
            except OSError:  # noqa: PERF203 - a pause follows each turn
                continue
