"""Whether a child hangs that is forked while other threads log, count and trace."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable

from bench import measure, peers
from bench.table import Row, Table, exactly

MODULE = "bench.bench_fork"
FORKS, THREADS = 300, 4
#: Seconds after which a child that has a few milliseconds of work counts as hung.
PATIENCE = 15.0
#: Hung children after which a run ends: each of them costs that patience.
ENOUGH = 5


def obs_children(quick: bool) -> measure.Figures:
    """Fork under the load of four threads that log, count and trace through obs."""
    import logging

    import obs

    peers.drop_our_spans()
    obs.init("bench", log_format="json", otlp_endpoint="http://127.0.0.1:9")
    counter = obs.counter("bench.turns", "Turns.", labels=("thread",))
    foreign = logging.getLogger("foreign")

    def work() -> None:
        for number in range(10):
            with obs.span("turn"):
                obs.log.info("a turn of work", number=number, text="x" * 200)
                foreign.warning("a turn of %s", "work")
                counter.inc(thread="any")

    return _forks(work, FORKS // 10 if quick else FORKS)


def logging_children(quick: bool) -> measure.Figures:
    """The same with the standard library's handler on a buffered file, as a yardstick of the load."""
    import logging

    handler = logging.FileHandler(os.devnull)
    logger = logging.getLogger("peer")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False

    def work() -> None:
        for number in range(10):
            logger.info("a turn of work %s %s", number, "x" * 200)

    return _forks(work, FORKS // 10 if quick else FORKS)


def _forks(work: Callable[[], None], forks: int) -> measure.Figures:
    """Return how many children were forked and how many of them hung."""
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            work()

    threads = [threading.Thread(target=busy, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    # Python 3.12 warns of every fork with threads, which is the very case here.
    warnings.simplefilter("ignore", DeprecationWarning)
    hung = done = 0
    while done < forks and hung < ENOUGH:
        done += 1
        child = os.fork()
        if child == 0:
            work()
            os._exit(0)
        hung += _hung(child)
    sys.setswitchinterval(interval)
    stop.set()
    return {"forks": done, "hung": hung}


def _hung(child: int) -> bool:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def table(quick: bool) -> Table:
    """Count hung children."""
    rows: list[Row] = []
    for name, what in (
        ("obs_children", "obs: logger, standard logging, counter, span"),
        ("logging_children", "standard logging alone, its handler on a file"),
    ):
        figures = measure.fresh(MODULE, name, *(["--quick"] if quick else []))
        hung, forks = int(figures["hung"]), int(figures["forks"])
        rows.append(
            exactly(f"{what}: hung", hung, forks, 0)
            if name == "obs_children"
            else Row(f"{what}: hung", f"{hung} of the first {forks}")
        )
    return Table(
        "Forks under load",
        f"{THREADS} threads work without pause, the interpreter switches among them every 10 us",
        rows,
    )


if __name__ == "__main__":
    measure.main(MODULE, table, {"obs_children": obs_children, "logging_children": logging_children})
