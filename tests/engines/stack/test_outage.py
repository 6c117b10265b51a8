"""What is promised not to be lost is not lost: counted by numbers, with real engines killed under load."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engines.stack import load
from tests.engines.stack.conftest import free_ports, routes
from tests.engines.stack.running import RunningStack, await_

from obs.stack import bundle, engines, native
from obs.stack.engine import Engine
from obs.stack.native import NativeConfig

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("stack")]

_SERVERS = ("prometheus", "alertmanager", "loki", "tempo", "collector")
_ENGINES = ("prometheus", "promtool", "alertmanager", "amtool", "loki", "otelcol")
_ABOUT_OUTAGES = ("TargetDown", "JobAllTargetsDown", "CollectorQueueNearlyFull")
#: Seconds that the collector waits before it decides on a trace; its memory is what a kill may cost.
_DECISION_WAIT = 2


@dataclass
class Losses:
    """A stack under numbered load: lines in a file, spans and samples pushed."""

    stack: RunningStack
    senders: dict[str, load.Sender]

    def kill(self, *names: str) -> None:
        """End servers without warning."""
        for server in native.status(self.stack.config.directory):
            if server.name in names:
                assert server.pid
                os.kill(server.pid, signal.SIGKILL)

    def missing(self) -> dict[str, set[int]]:
        """Return the numbers of each kind that were taken and are nowhere to be found."""
        found = {"lines": self.lines(), "spans": self.spans(), "samples": self.samples()}
        return {kind: set(range(len(sender.taken))) - found[kind] for kind, sender in self.senders.items()}

    def lines(self) -> set[int]:
        """Return the numbers of all lines in Loki."""
        found: set[int] = set()
        taken = len(self.senders["lines"].taken)
        for beginning in range(0, taken, 1000):
            selector = f'{{service="writer"}} | seq >= {beginning} | seq < {beginning + 1000}'
            found |= {int(one["seq"]) for one in self.stack.lines(selector)}
        return found

    def spans(self) -> set[int]:
        """Return the numbers of all spans in the trace store."""
        taken = len(self.senders["spans"].taken)
        return {
            int(span.attributes["seq"])
            for number in range(0, taken, 50)
            for span in self.stack.trace(load.trace_id(number))
        }

    def samples(self) -> set[int]:
        """Return the numbers of all samples in Prometheus."""
        series = self.stack.query('numbered_total{service="pusher"}[1h]')
        return {int(float(value)) - 1 for one in series for _, value in one["values"]}


@pytest.fixture(scope="module")
def losses(
    tmp_path_factory: pytest.TempPathFactory,
    installed: Callable[..., dict[str, Engine]],
    trace_store: str,
) -> Iterator[Losses]:
    """Start a stack of its own, whose rules wait two seconds, and the load on it."""
    engines.install(_ENGINES, routes=["go"])
    directory = tmp_path_factory.mktemp("outage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBS_SAMPLING_WAIT", f"{_DECISION_WAIT}s")
        # Small, so that it is full within seconds.
        patch.setenv("OBS_QUEUE_LOGS_BYTES", "1500000")
        config = NativeConfig(
            directory=directory / "state",
            servers=_SERVERS,
            ports=free_ports(),
            rules=_impatient(directory / "rules"),
            alertmanager_config=routes(directory, "http://127.0.0.1:9/nobody"),
            scrape_interval="1s",
            evaluation_interval="1s",
            routes=["go"],
        )
        try:
            stack = RunningStack(config, {one.name: one for one in native.up(config, tied=True)}, trace_store)
            collector = stack.url("collector")
            senders = {
                "lines": load.Sender(
                    load.lines(stack.services_log / "writer.log", "writer", size=1500), rate=150
                ),
                "spans": load.Sender(load.spans(collector, "tracer"), rate=50),
                "samples": load.Sender(load.samples(collector, "pusher"), rate=5),
            }
            for sender in senders.values():
                sender.start()
            yield Losses(stack, senders)
            for sender in senders.values():
                sender.stop()
        finally:
            native.down(config.directory)


def _impatient(directory: Path) -> list[Path]:
    """Copy the rules about the stack with every `for` and pace cut to a second or two."""
    directory.mkdir()
    found = []
    for name in ("alertmanager", "collector", "loki", "prometheus", "tempo", "fleet"):
        text = bundle.path("alerts", "prometheus", f"{name}.yml").read_text(encoding="utf-8")
        text = re.sub(r"\bfor: \w+", "for: 2s", text)
        file = directory / f"{name}.yml"
        file.write_text(re.sub(r"\binterval: \w+", "interval: 1s", text), encoding="utf-8")
        found.append(file)
    return found


def _firing(losses: Losses) -> set[tuple[str, str]]:
    """Return name and service of what Alertmanager holds of servers that are away and queues that are full."""
    alerts: list[dict[str, Any]] = losses.stack.alerts()
    found = {(one["labels"]["alertname"], one["labels"].get("service", "")) for one in alerts}
    return {one for one in found if one[0] in _ABOUT_OUTAGES}


def test_nothing_is_lost_while_backends_are_away(losses: Losses, note: Callable[[str], None]) -> None:
    stack = losses.stack
    await_(lambda: losses.lines() and losses.spans() and losses.samples(), "all three kinds arrive")
    # Five servers, one of them with two addresses.
    await_(lambda: len(stack.query("up == 1")) == 6, "all targets are up")
    assert _firing(losses) == set()

    # One by one: the queue of lines fills up, and says so.
    losses.kill("loki")
    await_(lambda: ("TargetDown", "loki") in _firing(losses), "the absence of Loki is told")
    await_(lambda: ("CollectorQueueNearlyFull", "collector") in _firing(losses), "the full queue is told")
    losses.kill("tempo")
    await_(lambda: ("TargetDown", "tempo") in _firing(losses), "the absence of the trace store is told")
    # Now all of them.
    away = time.time()
    losses.kill("prometheus")
    time.sleep(4)
    stack.again()
    back = time.time()

    for sender in losses.senders.values():
        sender.stop()
    taken = {kind: len(sender.taken) for kind, sender in losses.senders.items()}
    missing = _settle(losses, {})
    for kind, numbers in missing.items():
        note(
            f"loss while Loki, the trace store and Prometheus were away: {kind} {len(numbers)} of {taken[kind]}"
        )

    # What Prometheus scrapes itself has a gap, and nobody who was up is said to have been down.
    samples = stack.query('up{service="collector",instance="collector"}[1h]')[0]["values"]
    assert [at for at, _ in samples if away + 1 < float(at) < back - 4] == [] or back - away < 6
    assert {value for _, value in samples} == {"1"}
    innocent = {service for name, service in _firing(losses) if name in ("TargetDown", "JobAllTargetsDown")}
    assert innocent <= {"loki", "tempo"}


def _settle(losses: Losses, allowed: dict[str, int]) -> dict[str, set[int]]:
    """Return what is missing once no more than allowed is; what is missing for long is lost."""
    missing: dict[str, set[int]] = {}

    def complete() -> bool:
        missing.update(losses.missing())
        return all(len(numbers) <= allowed.get(kind, 0) for kind, numbers in missing.items())

    try:
        await_(complete, "everything has arrived", within=120.0)
    except AssertionError:
        assert {kind: sorted(numbers)[:20] for kind, numbers in missing.items()} == {}
    return missing
