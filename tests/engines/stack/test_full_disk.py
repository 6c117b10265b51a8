"""A full disk under the collector's queue: senders are held back and an alert says so, nothing goes missing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engines.stack import load
from tests.engines.stack.conftest import free_ports, impatient
from tests.engines.stack.running import RunningStack
from tests.engines.waiting import await_

from obs.stack import engines, native
from obs.stack.engine import Engine
from obs.stack.native import NativeConfig

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("outage")]

_SERVERS = ("prometheus", "loki", "collector")
#: Bytes of the disk; the line below fills it within seconds.
_DISK = "12m"


def _as_root(*command: str) -> bool:
    """Run a command as root, or with sudo where that asks for nothing; tell whether it worked."""
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            return False
        command = ("sudo", "-n", *command)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """Mount a small disk where the collector keeps its queue; None where that is not allowed."""
    place = tmp_path / "state" / "collector" / "data"
    place.mkdir(parents=True)
    if not _as_root("mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=0777", "tmpfs", str(place)):
        yield None
        return
    try:
        yield place
    finally:
        assert _as_root("umount", str(place))


@pytest.fixture
def stack(
    small_disk: Path | None, tmp_path: Path, installed: Callable[..., dict[str, Engine]]
) -> Iterator[RunningStack]:
    """Start Loki, the collector on the small disk, and Prometheus with impatient rules."""
    engines.install(("prometheus", "promtool", "loki", "otelcol"), routes=["go"])
    config = NativeConfig(
        directory=tmp_path / "state",
        servers=_SERVERS,
        ports=free_ports(),
        rules=impatient(tmp_path / "rules", _SERVERS),
        # Also what a loaded machine is given to answer within.
        scrape_interval="3s",
        evaluation_interval="1s",
        routes=["go"],
    )
    try:
        yield RunningStack.start(config)
    finally:
        native.down(config.directory)


def test_a_full_disk_loses_no_line_and_is_told(
    small_disk: Path | None, stack: RunningStack, note: Callable[[str], None]
) -> None:
    if small_disk is None:
        note("not run: full disk (mounting a small one wants root)")
        return
    file = stack.services_log / "writer.log"
    # Of parts of one size the queue fills the disk evenly; of these what is freed seldom fits what comes next.
    lines = [load.lines(file, "writer", size=size) for size in (3000, 8000, 14_000, 20_000)]
    sender = load.Sender(lambda number: lines[number // 30 % len(lines)](number), rate=200)
    sender.start()
    try:
        await_(lambda: stack.lines('{service="writer"} | seq < 10'), "lines arrive")
        (loki,) = [one for one in native.status(stack.config.directory) if one.name == "loki"]
        assert loki.pid
        os.kill(loki.pid, signal.SIGKILL)
        firing = 'ALERTS{service="collector",alertstate="firing",alertname=~"Collector(DroppingData|RefusingData)"}'
        await_(
            lambda: stack.query(firing),
            "what the full disk refuses is told",
            within=300.0,
            instead=lambda: (stack.query("ALERTS"), shutil.disk_usage(small_disk)),
        )
    finally:
        # A loaded machine needs its time to deliver what has gathered: no more than it takes to be told.
        taken = sender.stop()
    stack.again()
    found: set[int] = set()

    def complete() -> bool:
        for beginning in range(0, taken, 1000):
            if not set(range(beginning, min(taken, beginning + 1000))) <= found:
                selector = f'{{service="writer"}} | seq >= {beginning} | seq < {beginning + 1000} | keep seq'
                found.update(int(one["seq"]) for one in stack.lines(selector))
        return len(found) == taken

    await_(
        complete,
        "every line is found",
        within=600.0,
        instead=lambda: (
            f"{len(found)} of {taken}, not among them {sorted({*range(taken)} - found)[:5]}",
            shutil.disk_usage(small_disk),
        ),
    )
    note(f"loss while the disk of the queue was full: lines {taken - len(found)} of {taken}")
