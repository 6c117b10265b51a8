"""The host's registry around a fork: no child waits for a lock that a thread of its parent holds."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

#: `during(lock)` forks while a thread holds `lock`; `scraped()` is what the child then answers.
_BEGIN = """
import os, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import prometheus_client
from prometheus_client import REGISTRY, Counter, Enum, Gauge, Histogram
import obs
from obs.runtime import endpoints
from obs.runtime.metrics.scrape import answer

obs.init("shop", logs=False, metrics_dir=sys.argv[1])

def scraped():
    return answer(endpoints._metrics, "", "").body.decode()

def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

def during(lock, work):
    held, end = threading.Event(), threading.Event()
    def hold():
        with lock:
            held.set()
            end.wait(60)
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    child(work)
    end.set()
    thread.join()

def shows(*texts):
    found = scraped()
    assert all(text in found for text in texts), found
"""


def run(folder: Path, script: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _BEGIN + textwrap.dedent(script), str(folder)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "lock",
    [
        "REGISTRY._lock", "plain._value._lock", "labelled._lock", "labelled.labels('a')._value._lock",
        "level._value._lock", "wait._sum._lock", "wait._buckets[1]._lock", "state._lock",
    ],
)  # fmt: skip
def test_a_child_is_scraped_while_a_thread_of_its_parent_held_a_lock_of_the_hosts_metrics(
    tmp_path: Path, lock: str
) -> None:
    script = f"""
    plain, labelled = Counter("plain", "."), Counter("labelled", ".", ["k"])
    level, wait, state = Gauge("level", "."), Histogram("wait", "."), Enum("state", ".", states=["on", "off"])
    plain.inc(); labelled.labels("a").inc(2)
    def work():
        plain.inc(); labelled.labels("a").inc(); level.inc(); wait.observe(0.001); state.state("off")
        shows("plain_total 2.0", 'labelled_total{{k="a"}} 3.0', "level 1.0", "wait_count 1.0")
    during({lock}, work)
    shows("plain_total 1.0", 'labelled_total{{k="a"}} 2.0')
    """
    run(tmp_path, script)


def test_a_child_is_scraped_while_a_thread_held_the_lock_of_the_hosts_own_mode_for_processes(
    tmp_path: Path,
) -> None:
    script = """
    plain = Counter("plain", ".")
    plain.inc()
    (lock,) = [
        cell.cell_contents for cell in type(plain._value).inc.__closure__
        if hasattr(cell.cell_contents, "acquire")
    ]
    during(lock, lambda: (plain.inc(), shows("plain_total 2.0")))
    """
    own = tmp_path / "own"
    own.mkdir()
    run(tmp_path / "obs", script, PROMETHEUS_MULTIPROC_DIR=str(own))


def test_a_child_registers_and_is_scraped_while_a_thread_of_its_parent_held_our_registrys_lock(
    tmp_path: Path,
) -> None:
    script = """
    during(endpoints._metrics.registry._lock, lambda: (obs.counter("late").inc(), shows("late_total 1.0")))
    """
    run(tmp_path, script)


#: A collector of the host's that takes a lock of its own while it is collected.
_SLOW = """
import time
from prometheus_client.core import GaugeMetricFamily
class Pool:
    def __init__(self):
        self.lock, self.begun, self.end = threading.Lock(), threading.Event(), threading.Event()
    def collect(self):
        with self.lock:
            self.begun.set()
            self.end.wait(60)
        yield GaugeMetricFamily("pool", ".", value=1)
pool = Pool()
# Registering collects too.
pool.end.set()
REGISTRY.register(pool)
pool.begun.clear()
pool.end.clear()
"""


def test_a_fork_waits_for_a_collection_so_that_the_child_has_no_lock_of_a_collector(tmp_path: Path) -> None:
    script = """
    from obs.runtime.metrics import host
    host._PATIENCE = 60
    scraper = threading.Thread(target=scraped)
    scraper.start()
    pool.begun.wait(60)
    threading.Timer(0.3, pool.end.set).start()
    child(lambda: shows("pool 1.0"))
    scraper.join()
    shows("pool 1.0")
    """
    run(tmp_path, _SLOW + textwrap.dedent(script))


def test_a_collector_that_takes_long_does_not_keep_a_fork_nor_another_scrape(tmp_path: Path) -> None:
    script = """
    # Both scrapes are in the collector at once, or nobody gets any further.
    together = threading.Barrier(3)
    class Together:
        def __enter__(self): together.wait(60)
        def __exit__(self, *given): pass
    pool.lock = Together()
    scrapers = [threading.Thread(target=scraped) for _ in range(2)]
    for scraper in scrapers: scraper.start()
    together.wait(60)
    child(lambda: obs.counter("test.c").inc())
    pool.end.set()
    for scraper in scrapers: scraper.join()
    pool.lock = threading.Lock()
    shows("test_c_total 1.0", "pool 1.0")
    """
    run(tmp_path, _SLOW + textwrap.dedent(script))


def test_a_collector_may_fork_and_scrape_itself(tmp_path: Path) -> None:
    script = """
    from prometheus_client.core import GaugeMetricFamily
    class Nested:
        # Registering collects too.
        inside = True
        def collect(self):
            if not self.inside:
                self.inside = True
                shows("nested 1.0")
                child(lambda: shows("nested 1.0"))
                self.inside = False
            yield GaugeMetricFamily("nested", ".", value=1)
    nested = Nested()
    REGISTRY.register(nested)
    nested.inside = False
    shows("nested 1.0")
    """
    run(tmp_path, script)
