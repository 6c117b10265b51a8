"""What is promised not to be lost is not lost: counted by numbers, with real engines killed under load."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.engines.stack import load
from tests.engines.stack.conftest import TraceStore, free_ports, impatient, routes
from tests.engines.stack.running import RunningStack
from tests.engines.waiting import await_

from obs.stack import engines, native, process
from obs.stack.engine import Engine
from obs.stack.native import NativeConfig

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("outage")]

_SERVERS = ("prometheus", "alertmanager", "loki", "tempo", "collector")
_ENGINES = ("prometheus", "promtool", "alertmanager", "amtool", "loki", "otelcol")
_ABOUT_OUTAGES = ("TargetDown", "JobAllTargetsDown", "CollectorQueueNearlyFull")
#: Seconds that the collector waits before it decides on a trace; its memory is what a kill may cost.
_DECISION_WAIT = 2
#: Seconds that everything is away at once, at least.
_AWAY = 8


@dataclass
class Losses:
    """A stack under numbered load: lines in a file, spans and samples pushed, each under a name of this load."""

    stack: RunningStack
    name: str
    senders: dict[str, load.Sender]

    def kill(self, *names: str) -> None:
        """End servers without warning, but Tempo as an operator does.

        What Tempo takes it holds in memory for two or three seconds, so a `kill -9` of it may cost those: that is
        its promise, and the one under test is about back ends that are away. It is given the time that the
        runtime gives it, for 3.0 may not end by itself.
        """
        for name in names:
            running = process.find(self.stack.config.directory / "run" / f"{name}.json")
            assert running, f"{name} does not run"
            if name == "tempo":
                process.stop(running)
            else:
                os.kill(running.pid, signal.SIGKILL)
        await_(lambda: not self._alive(names), f"{names} are gone")

    def _alive(self, names: tuple[str, ...]) -> list[str]:
        known = native.status(self.stack.config.directory)
        return [one.name for one in known if one.name in names and one.pid]

    def stop(self) -> dict[str, int]:
        """Send no more and return how much of each kind was taken."""
        return {kind: sender.stop() for kind, sender in self.senders.items()}

    def missing(self) -> dict[str, set[int]]:
        """Return the numbers of each kind that were taken and are nowhere to be found."""
        found = {"lines": self.lines, "spans": self.spans, "samples": self.samples}
        return {kind: set(range(len(one.taken))) - found[kind]() for kind, one in self.senders.items()}

    def lines(self) -> set[int]:
        """Return the numbers of all lines in Loki."""
        found: set[int] = set()
        for beginning in range(0, len(self.senders["lines"].taken), 1000):
            selector = f'{{service="{self.name}"}} | seq >= {beginning} | seq < {beginning + 1000} | keep seq'
            found |= {int(one["seq"]) for one in self.stack.lines(selector)}
        return found

    def spans(self) -> set[int]:
        """Return the numbers of all spans in the trace store."""
        return {
            int(span.attributes["seq"])
            for number in range(0, len(self.senders["spans"].taken), 50)
            for span in self.stack.trace(load.trace_id(self.name, number))
        }

    def samples(self) -> set[int]:
        """Return the numbers of all samples in Prometheus."""
        series = self.stack.query(f'numbered_total{{service="{self.name}"}}[1h]')
        return {int(float(value)) - 1 for one in series for _, value in one["values"]}


@pytest.fixture(scope="session")
def fragile(
    tmp_path_factory: pytest.TempPathFactory,
    installed: Callable[..., dict[str, Engine]],
    trace_store: TraceStore,
) -> Iterator[RunningStack]:
    """Start a stack of its own, whose rules wait two seconds."""
    engines.install(_ENGINES, routes=["go"])
    directory = tmp_path_factory.mktemp("outage")
    environment = {
        **trace_store.environment,
        "OBS_SAMPLING_WAIT": f"{_DECISION_WAIT}s",
        # Small, so that it is full within seconds.
        "OBS_QUEUE_LOGS_BYTES": "1500000",
    }
    config = NativeConfig(
        directory=directory / "state",
        servers=_SERVERS,
        ports=free_ports(),
        rules=impatient(directory / "rules", _SERVERS),
        alertmanager_config=routes(directory, "http://127.0.0.1:9/nobody"),
        # Also what a loaded machine is given to answer within.
        scrape_interval="3s",
        evaluation_interval="1s",
        routes=["go"],
    )
    try:
        yield RunningStack.start(config, trace_store.name, environment)
    finally:
        native.down(config.directory)


@pytest.fixture
def losses(fragile: RunningStack, request: pytest.FixtureRequest) -> Iterator[Losses]:
    """Put a load of its own on the stack, and wait until some of every kind has arrived."""
    # Whatever an earlier test left dead.
    fragile.again()
    name, collector = request.node.name, fragile.url("collector")
    senders = {
        "lines": load.Sender(load.lines(fragile.services_log / f"{name}.log", name, size=1500), rate=150),
        "spans": load.Sender(load.spans(collector, name), rate=50),
        "samples": load.Sender(load.samples(collector, name), rate=5),
    }
    losses = Losses(fragile, name, senders)
    for sender in senders.values():
        sender.start()
    await_(lambda: losses.lines() and losses.spans() and losses.samples(), "all three kinds arrive")
    yield losses
    losses.stop()


def _firing(losses: Losses) -> set[tuple[str, str]]:
    """Return name and service of what Alertmanager holds of servers that are away and queues that are full."""
    alerts: list[dict[str, Any]] = losses.stack.alerts()
    found = {(one["labels"]["alertname"], one["labels"].get("service", "")) for one in alerts}
    return {one for one in found if one[0] in _ABOUT_OUTAGES}


def test_nothing_is_lost_while_backends_are_away(losses: Losses, note: Callable[[str], None]) -> None:
    stack = losses.stack
    # Five servers, one of them with two addresses.
    await_(lambda: len(stack.query("up == 1")) == 6, "all targets are up")
    await_(lambda: not _firing(losses), "nothing is told of", instead=lambda: _firing(losses))
    began = time.time()

    # One after the other: the absence of each is told, and that the queue of lines fills up.
    losses.kill("loki")
    losses.kill("tempo")
    wanted = {("TargetDown", "loki"), ("TargetDown", "tempo"), ("CollectorQueueNearlyFull", "collector")}
    await_(
        lambda: wanted <= _firing(losses),
        "both that are away and the full queue are told",
        instead=lambda: _firing(losses),
    )
    # Now all of them.
    losses.kill("prometheus")
    time.sleep(_AWAY)
    stack.again()

    taken = losses.stop()
    missing = _settle(losses, {})
    for kind, numbers in missing.items():
        note(
            f"loss while Loki, the trace store and Prometheus were away: {kind} {len(numbers)} of {taken[kind]}"
        )

    # What Prometheus scrapes itself has a gap, and nobody who was up is said to have been down, at any time.
    samples = stack.query('up{service="collector",instance="collector"}[1h]')[0]["values"]
    samples = [(float(at), value) for at, value in samples if float(at) > began]
    moments = [at for at, _ in samples]
    assert max(after - before for before, after in itertools.pairwise(moments)) > _AWAY - 2
    assert {value for _, value in samples} == {"1"}
    down = 'ALERTS{alertstate="firing",alertname=~"TargetDown|JobAllTargetsDown"}'
    told = stack.query(f"count by (service) (last_over_time({down}[{time.time() - began:.0f}s]))")
    assert {one["metric"]["service"] for one in told} == {"loki", "tempo"}


def _settle(losses: Losses, allowed: dict[str, set[int]]) -> dict[str, set[int]]:
    """Return what is missing once nothing but what is `allowed` is; what is missing for long is lost."""
    # Traces that wait for their decision are late, not lost.
    time.sleep(_DECISION_WAIT + 1)
    missing: dict[str, set[int]] = {}

    def complete() -> bool:
        missing.update(losses.missing())
        return all(numbers <= allowed.get(kind, set()) for kind, numbers in missing.items())

    deadline = time.monotonic() + 120.0
    while not complete() and time.monotonic() < deadline:
        time.sleep(1)
    lost = {kind: sorted(numbers - allowed.get(kind, set())) for kind, numbers in missing.items()}
    assert not any(lost.values()), f"lost: {lost}"
    return missing


def test_a_killed_collector_costs_no_line_no_sample_and_only_traces_it_had_not_decided_on(
    losses: Losses, note: Callable[[str], None]
) -> None:
    time.sleep(2 * _DECISION_WAIT + 1)
    about_to_kill = time.monotonic()
    losses.kill("collector")
    time.sleep(1)
    # Until here nothing more can have been taken: a sender may only have been slow to note what was.
    about_to_start = time.monotonic()
    losses.stack.again()
    time.sleep(1)
    taken = losses.stop()

    at_risk = {
        number
        for number, at in enumerate(losses.senders["spans"].taken)
        # A span counts as taken a moment after the answer; the sampler looks once a second.
        if about_to_kill - _DECISION_WAIT - 2.5 < at < about_to_start
    }
    missing = _settle(losses, {"spans": at_risk})
    for kind, numbers in missing.items():
        allowed = f", {len(at_risk)} within the wait for a decision" if kind == "spans" else ""
        note(f"loss when the collector is killed: {kind} {len(numbers)} of {taken[kind]}{allowed}")
