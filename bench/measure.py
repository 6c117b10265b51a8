"""How the benchmarks measure: a fresh process a configuration, alternating, medians.

Time is the processor time of the whole process, exporter threads included: on a machine that has other
work to do the clock on the wall measures that work too. What waits (shutdown, exit) is measured by the clock.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bench.table import Table

#: Runs the work so many times.
Work = Callable[[int], object]
#: Name -> measured value, of one process.
Figures = dict[str, float]

#: What the fixed piece of work takes where nothing else runs, on the machine these were written on.
FLOOR = 46.0
#: Variables that would configure telemetry, and the one that would have our own source compiled at each
#: start while installed packages bring their bytecode.
_UNWANTED = ("OBS_", "OTEL_", "SENTRY_", "PROMETHEUS_", "LOG_LEVEL", "PYTHONDONTWRITEBYTECODE")


def statement(text: str, names: Mapping[str, Any]) -> Work:
    """Return what runs the statement `text` in a loop without a call around it, garbage collected as usual."""
    return timeit.Timer(text, "import gc; gc.enable()", globals=dict(names)).timeit


def slices(works: Mapping[str, Work], count: int, repeats: int) -> Figures:
    """Return the median microseconds of each of `works`, alternating in slices of `count` runs."""
    for work in works.values():
        work(max(1, count // 2))
    spent: dict[str, list[float]] = {name: [] for name in works}
    gc.collect()
    for _ in range(repeats):
        for name, work in works.items():
            began = time.process_time()
            work(count)
            spent[name].append((time.process_time() - began) / count * 1e6)
    return {name: statistics.median(found) for name, found in spent.items()}


def floor(count: int) -> None:
    """Do the fixed piece of work so many times."""
    for _ in range(count):
        json.dumps([{"number": number, "text": str(number)} for number in range(100)])


def against_floor(work: Work, count: int, repeats: int) -> float:
    """Return the microseconds of `work` on a machine on which a fixed piece of work takes `FLOOR` of them.

    A shared machine changes its speed from one second to the next, so that two configurations of which
    each has a process to itself can only be compared by way of something that both of them ran.
    """
    work(max(1, count // 2))
    gc.collect()
    fixed = 0.0
    spent = 0.0
    for _ in range(repeats):
        began = time.process_time()
        floor(count // 4)
        worked = time.process_time()
        work(count)
        fixed += worked - began
        spent += time.process_time() - worked
    # Sums, because a median of slices forgets the searches for garbage: few slices have one, and it is long.
    return spent / fixed / 4 * FLOOR


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}


def fresh(module: str, candidate: str, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """Run `candidate` of a script of ours in an interpreter of its own; return what it answered."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--one", candidate, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**clean_environment(), **(env or {})},
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise SystemExit(f"{module} {candidate} failed ({done.returncode}):\n{done.stderr[-3000:]}")
    return json.loads(lines[-1])


def process_seconds(command: Sequence[str]) -> float:
    """Return the processor seconds of a whole process, start included; ends with a sentence when it fails."""
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment()
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"failed ({child.returncode}): {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def alternate(module: str, candidates: Sequence[str], rounds: int, *arguments: str) -> dict[str, list[Any]]:
    """Run every candidate `rounds` times, each in a fresh process, taking turns."""
    found: dict[str, list[Any]] = {name: [] for name in candidates}
    for number in range(rounds):
        for name in candidates:
            _progress(f"{module} {name} {number + 1}/{rounds}")
            found[name].append(fresh(module, name, *arguments))
    _progress("")
    return found


def medians(found: Sequence[Figures]) -> Figures:
    """Return the median over processes of each figure."""
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def ratio(found: Sequence[Figures], name: str, to: str) -> float:
    """Return the median over processes of the ratio that each measured itself."""
    return statistics.median(one[name] / one[to] for one in found)


def written(work: Work, count: int) -> float:
    """Return the bytes that one run of `work` writes, by the kernel's count: a line left out would be cheap."""
    before = _written()
    work(count)
    return (_written() - before) / count


def _written() -> int:
    io = Path("/proc/self/io").read_text(encoding="ascii")
    return int(io.partition("wchar: ")[2].split()[0])


def silence() -> Callable[[Any], NoReturn]:
    """Send stdout, where log lines go, to the null device; return what answers the driver and ends."""
    answers = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)

    def answer(result: Any) -> NoReturn:
        os.write(answers, f"{json.dumps(result)}\n".encode())
        # Peers' threads and exit handlers must not keep a finished measurement waiting.
        os._exit(0)

    return answer


def main(
    module: str, table: Callable[[bool], Table], candidates: Mapping[str, Callable[[bool], Any]] | None = None
) -> None:
    """Print the table of a script, or run one of its candidates for it.

    `--quick` measures less, for a look; `--json` prints the table for machines.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=table.__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats: minutes become seconds")
    parser.add_argument("--json", action="store_true", help="the table for machines")
    parser.add_argument("--one", choices=sorted(candidates or {}), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        answer = silence()
        answer((candidates or {})[chosen.one](chosen.quick))
    made = table(chosen.quick)
    print(made.json() if chosen.json else made.text())


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()
