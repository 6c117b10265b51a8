"""Metrics of processes that fork: nothing counted twice, nothing lost, nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

#: What every script begins with. `scrape` answers as an endpoint would, `child` runs in a fork.
_BEGIN = """
import json, os, signal, sys, time
import obs
from obs.runtime import endpoints
from obs.runtime.metrics.scrape import answer as answer_scrape
from prometheus_client.openmetrics.parser import text_string_to_metric_families

def scrape():
    answer = answer_scrape(endpoints._metrics, "application/openmetrics-text", "")
    return {
        json.dumps([sample.name, sample.labels]): (sample.value, sample.exemplar)
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }

def value(name, **labels):
    found = scrape().get(json.dumps([name, labels]))
    return None if found is None else found[0]

def child(work, then="exit"):
    # Return the process and what its work returned; `then` it exits, or waits to be killed.
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, json.dumps(work()).encode() + b"\\n")
        if then == "wait":
            time.sleep(300)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        result = json.loads(told.readline())
    if then == "exit":
        os.waitpid(pid, 0)
    return pid, result

def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

def folder():
    return endpoints._metrics.store.group.folder

obs.init("shop", logs=False, metrics_dir=sys.argv[1])
"""


def run(folder: Path, script: str) -> Any:
    """Run `script` in a process of its own and return what it prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _BEGIN + textwrap.dedent(script), str(folder)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_children_count_from_zero_and_add_up_with_their_parent(tmp_path: Path) -> None:
    script = """
    counter = obs.counter("test.c", labels=("k",))
    wait = obs.histogram("test.h", buckets=(1,))
    counter.inc(k="a"); wait.observe(0.5)
    def work():
        counter.inc(2, k="a"); counter.inc(k="b"); wait.observe(0.5)
        return value("test_c_total", k="a")
    seen = [child(work, "wait") for _ in range(3)]
    print(json.dumps([[told for _, told in seen], value("test_c_total", k="a"), value("test_c_total", k="b"),
                      value("test_h_seconds_count"), value("test_h_seconds_sum")]))
    for pid, _ in seen: end(pid)
    """
    assert run(tmp_path, script) == [[3, 5, 7], 7, 3, 4, 2.0]


def test_what_a_killed_child_has_counted_stays_and_its_gauges_go(tmp_path: Path) -> None:
    script = """
    counter, level, latest = obs.counter("test.c"), obs.gauge("test.g"), obs.gauge("test.l", across="latest")
    counter.inc(); level.set(3); latest.set(1)
    def work():
        counter.inc(10); level.inc(4); latest.set(2)
    pid, _ = child(work, "wait")
    living = [value("test_c_total"), value("test_g"), value("test_l")]
    end(pid)
    dead = [value("test_c_total"), value("test_g"), value("test_l")]
    print(json.dumps([living, dead, [value("test_c_total"), value("test_g"), value("test_l")]]))
    """
    living, dead, later = run(tmp_path, script)
    assert living == [11, 7, 2]
    assert dead == later == [11, 3, 2]


def test_hundreds_of_short_lived_children_leave_a_handful_of_files_and_an_exact_sum(tmp_path: Path) -> None:
    script = """
    counter = obs.counter("test.c", labels=("user",))
    sizes = []
    for number in range(300):
        child(lambda: counter.inc(user="same"))
        if number % 50 == 49:
            files = [path for path in folder().iterdir()]
            sizes.append([len(files), sum(path.stat().st_size for path in files)])
    print(json.dumps([sizes, value("test_c_total", user="same"), len(list(folder().iterdir()))]))
    """
    sizes, total, at_last = run(tmp_path, script)
    assert total == 300
    assert max(count for count, _ in sizes) <= 40
    assert max(size for _, size in sizes) <= 300_000
    assert at_last <= 5


def test_a_process_that_is_alone_leaves_no_trace_on_the_disk(tmp_path: Path) -> None:
    script = """
    obs.counter("test.c").inc()
    print(json.dumps([value("test_c_total"), os.listdir(sys.argv[1])]))
    """
    assert run(tmp_path, script) == [1, []]


def test_a_child_that_counts_nothing_has_no_files(tmp_path: Path) -> None:
    script = """
    obs.counter("test.c").inc()
    before = len(list(folder().iterdir())) if endpoints._metrics.store.group else 0
    child(lambda: None)
    print(json.dumps(len(list(folder().glob("*.values")))))
    """
    assert run(tmp_path, script) == 1


def test_the_folder_goes_with_the_parent_and_a_killed_ones_with_the_next(tmp_path: Path) -> None:
    script = """
    obs.counter("test.c").inc()
    child(lambda: obs.counter("test.c").inc())
    print(json.dumps(str(folder())), flush=True)
    if sys.argv[0] == "-c" and os.environ.get("DIE"): os.kill(os.getpid(), signal.SIGKILL)
    """
    gone = Path(run(tmp_path, script))
    assert not gone.exists()
    base = next(tmp_path.iterdir())
    left = run(
        tmp_path,
        script.replace("print(", "sys.stdout.write(").replace(
            ", flush=True)", " + '\\n'); sys.stdout.flush(); os._exit(0)"
        ),
    )
    assert [path.name for path in base.iterdir()] == [Path(left).name]
    run(tmp_path, script)
    assert list(base.iterdir()) == []


def test_exemplars_of_children_are_shown_by_their_parent(tmp_path: Path) -> None:
    script = """
    counter = obs.counter("test.c")
    def work():
        with obs.span("child"):
            counter.inc()
            return obs.ids().trace_id
    pid, trace = child(work, "wait")
    shown = scrape()[json.dumps(["test_c_total", {}])][1].labels["trace_id"]
    end(pid)
    dead = scrape()[json.dumps(["test_c_total", {}])][1].labels["trace_id"]
    print(json.dumps([shown == trace, dead == trace]))
    """
    assert run(tmp_path, script) == [True, True]


def test_what_obs_and_the_kernel_say_is_of_all_processes_and_never_falls(tmp_path: Path) -> None:
    script = """
    from obs.runtime import tally
    tally.add("log_records", "info", 2)
    def work():
        tally.add("log_records", "info", 3)
        obs.counter("test.c").inc()
        ends = time.process_time() + 0.2
        while time.process_time() < ends: pass
    pid, _ = child(work, "wait")
    names = ("process_cpu_time_seconds_total", "process_memory_usage_bytes", "process_open_fds")
    def cpu(): return sum(value(names[0], cpu_mode=mode) for mode in ("user", "system"))
    living = [value("log_records_total", level="info"), cpu(), value(names[1])]
    end(pid)
    own = os.times()
    dead = [value("log_records_total", level="info"), cpu(), value(names[1])]
    print(json.dumps([living, dead, own.user + own.system]))
    """
    living, dead, own = run(tmp_path, script)
    assert living[0] == dead[0] == 5
    assert dead[1] >= living[1]
    assert dead[1] >= own + 0.15
    assert living[2] > dead[2] * 1.3


def test_without_sharing_a_child_counts_for_itself_from_zero(tmp_path: Path) -> None:
    script = """
    obs.init("shop", logs=False, metrics_workers=False)
    counter = obs.counter("test.c")
    counter.inc(5)
    def work():
        counter.inc()
        return [value("test_c_total"), value("test_c_created") > 0]
    _, told = child(work)
    print(json.dumps([told, value("test_c_total"), os.listdir(sys.argv[1])]))
    """
    assert run(tmp_path, script) == [[1, True], 5, []]


def test_a_folder_that_others_can_see_into_is_not_used(tmp_path: Path) -> None:
    script = """
    counter = obs.counter("test.c")
    counter.inc(5)
    os.mkdir(os.path.join(sys.argv[1], f"obs-{os.geteuid()}"), 0o777)
    os.chmod(os.path.join(sys.argv[1], f"obs-{os.geteuid()}"), 0o777)
    def work():
        counter.inc()
        return value("test_c_total")
    _, told = child(work)
    print(json.dumps([told, value("test_c_total"), value("obs_errors_total", component="metrics") >= 1]))
    """
    assert run(tmp_path, script) == [1, 5, True]


def test_threads_that_count_while_others_fork_lose_nothing_and_nobody_hangs(tmp_path: Path) -> None:
    script = """
    import threading, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    sys.setswitchinterval(1e-5)
    counter, on = obs.counter("test.c"), True
    counted = [0] * 3
    def work(number):
        while on:
            counter.inc(); counted[number] += 1
    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads: thread.start()
    for _ in range(60): child(lambda: counter.inc())
    on = False
    for thread in threads: thread.join()
    print(json.dumps(value("test_c_total") - sum(counted)))
    """
    assert run(tmp_path, script) == 60


def test_scrapes_at_the_same_time_count_nothing_twice_and_their_lock_is_not_inherited(tmp_path: Path) -> None:
    script = """
    import threading, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    sys.setswitchinterval(1e-5)
    counter = obs.counter("test.c", labels=("n",))
    for n in range(50): counter.inc(n=str(n))
    child(lambda: counter.inc(n="0"), "exit")
    seen, on = set(), True
    def work():
        while on:
            seen.add(sum(number for key, (number, _) in scrape().items() if "test_c_total" in key))
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads: thread.start()
    told = [child(lambda: value("test_c_total", n="0"))[1] for _ in range(10)]
    on = False
    for thread in threads: thread.join()
    print(json.dumps([sorted(seen), told]))
    """
    assert run(tmp_path, script) == [[51], [2] * 10]


def test_a_child_of_a_process_that_has_scraped_shows_the_same_as_its_parent(tmp_path: Path) -> None:
    script = """
    counter, level = obs.counter("test.c", labels=("k",)), obs.gauge("test.g")
    counter.inc(k="a")
    first, _ = child(lambda: counter.inc(2, k="b"), "wait")
    def seen():
        return [value("test_c_total", k=key) for key in "abcd"] + [value("test_g")]
    warm = [seen(), seen()]
    def work():
        counter.inc(4, k="c"); level.set(5)
        return [seen(), child(lambda: [counter.inc(8, k="d"), seen()][1])[1], seen()]
    _, told = child(work)
    print(json.dumps([warm, told, seen(), seen()]))
    end(first)
    """
    warm, told, parent, again = run(tmp_path, script)
    assert warm == [[1, 2, None, None, 0]] * 2
    assert told == [[1, 2, 4, None, 5], [1, 2, 4, 8, 5], [1, 2, 4, 8, 5]]
    assert parent == again == [1, 2, 4, 8, 0]


def test_many_series_made_after_the_fork_are_shared_too(tmp_path: Path) -> None:
    script = """
    def work():
        late = obs.counter("test.late", labels=("n",))
        for n in range(900): late.inc(n + 1, n=str(n))
    pid, _ = child(work, "wait")
    print(json.dumps([value("test_late_total", n="0"), value("test_late_total", n="899")]))
    end(pid)
    """
    assert run(tmp_path, script) == [1, 900]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_belong_to_the_process_that_started_them(
    tmp_path: Path, method: str
) -> None:
    module = tmp_path / "worked.py"
    module.write_text(
        textwrap.dedent("""
        import multiprocessing, os, sys
        import obs
        from obs.runtime import endpoints
        from obs.runtime.metrics import scrape

        def shown():
            body = scrape.answer(endpoints._metrics, "", "").body.decode()
            return [line for line in body.splitlines() if line.startswith("test_c_total")]

        def work(folder, said, go, done):
            obs.init("shop", logs=False, metrics_dir=folder)
            obs.counter("test.c").inc(2)
            said.put(1)
            go.wait(60)
            said.put(shown())
            done.wait(60)

        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[2])
            obs.init("shop", logs=False, metrics_dir=sys.argv[1])
            obs.counter("test.c").inc()
            said, go, done = context.Queue(), context.Event(), context.Event()
            arguments = (sys.argv[1], said, go, done)
            workers = [context.Process(target=work, args=arguments) for _ in range(2)]
            for worker in workers: worker.start()
            for _ in workers: said.get(timeout=60)
            go.set()
            for _ in workers: print(said.get(timeout=60))
            print(shown())
            done.set()
            for worker in workers: worker.join(60)
            print(shown())
        """)
    )
    shared = tmp_path / "shared"
    done = subprocess.run(
        [sys.executable, str(module), str(shared), method],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["['test_c_total 5.0']"] * 4


def test_metrics_that_the_host_keeps_in_files_are_added_up_the_stock_way(tmp_path: Path) -> None:
    script = """
    import os, sys
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
    import obs, prometheus_client
    from obs.runtime import endpoints
    from obs.runtime.metrics import scrape
    theirs = prometheus_client.Counter("host_c", "Counted by the host.")
    obs.init("shop", logs=False)
    ours = obs.counter("test.c")
    theirs.inc(); ours.inc()
    if os.fork() == 0:
        theirs.inc(); ours.inc()
        os._exit(0)
    os.wait()
    body = scrape.answer(endpoints._metrics, "", "").body.decode()
    print(sorted(line for line in body.splitlines() if line.startswith(("host_c_total", "test_c_total"))))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout == "['host_c_total 2.0', 'test_c_total 2.0']\n", done.stderr
