"""How long `shutdown()` may take when the collector is gone, and what arrives when processes end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from bench import measure
from bench.collector import Collector, black_hole, refused, serving
from bench.table import Row, Table, exactly

MODULE = "bench.bench_exit"
DEADLINES = (0.5, 2.0)
#: Seconds over the deadline that a promise to keep it allows.
SLACK = 0.2
CHILDREN = 10
_INIT = "import obs; obs.init('bench', log_level='critical', log_format='json', otlp_endpoint={url!r})\n"
_SHUTDOWN = """
import sys, time
for _ in range({spans}):
    with obs.span("work"):
        pass
time.sleep({wait})
began = time.perf_counter()
delivered = obs.shutdown(timeout={deadline})
sys.stderr.write(f"took {{time.perf_counter() - began}}\\n")
"""
_CHILDREN = """
import multiprocessing

def work():
    with obs.span("child"):
        pass

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    with obs.span("parent"):
        children = [context.Process(target=work) for _ in range({count})]
        for child in children:
            child.start()
        for child in children:
            child.join()
"""
_PLAIN = """
import sys, time
with obs.span("plain"):
    pass
sys.stderr.write("ready\\n")
time.sleep({wait})
"""


def _run(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=measure.clean_environment(),
    )


def _shutdown(url: str, deadline: float, wait: float, spans: int = 2_000) -> tuple[float, float]:
    """Return the seconds that `shutdown()` took, and those from its return to the end of the process."""
    code = _INIT.format(url=url) + _SHUTDOWN.format(deadline=deadline, wait=wait, spans=spans)
    process = _run(code)
    assert process.stderr is not None
    took = next(float(line.split()[1]) for line in process.stderr if line.startswith("took"))
    returned = time.perf_counter()
    process.communicate(timeout=60)
    return took, time.perf_counter() - returned


def _shutdowns(rounds: int) -> list[Row]:
    rows = []
    with black_hole() as hole:
        cases = (
            ("collector refuses connections", refused(), 0.0),
            ("collector refuses, retries under way", refused(), 1.5),
            ("collector accepts and never answers", hole, 0.0),
            ("collector never answers, export under way", hole, 1.5),
        )
        for what, url, wait in cases:
            for deadline in DEADLINES:
                runs = [_shutdown(url, deadline, wait) for _ in range(rounds)]
                worst = max(took for took, _ in runs)
                rest = max(after for _, after in runs)
                rows.append(
                    Row(
                        f"shutdown({deadline}): {what}",
                        f"{worst:.2f} s, then {rest:.2f} s to the end of the process",
                        f"{worst - deadline:+.2f} s to the deadline",
                        f"<= +{SLACK} s",
                        worst <= deadline + SLACK,
                    )
                )
    return rows


def _children(method: str) -> Row:
    """Count the spans of children that leave by `os._exit`, without shutdown in sight."""
    with serving(Collector()) as server:
        code = _INIT.format(url=server.url) + _CHILDREN.format(method=method, count=CHILDREN)
        _run(code).communicate(timeout=120)
        return exactly(
            f"multiprocessing children ({method}): spans delivered", server.spans["child"], CHILDREN, CHILDREN
        )


def _forked() -> Row:
    with serving(Collector()) as server:
        code = _INIT.format(url=server.url) + (
            "import os\n"
            f"for _ in range({CHILDREN}):\n"
            "    pid = os.fork()\n"
            "    if not pid:\n"
            "        with obs.span('child'):\n"
            "            pass\n"
            "        raise SystemExit\n"
            "    os.waitpid(pid, 0)\n"
        )
        _run(code).communicate(timeout=120)
        return exactly(
            "plain forks that end normally: spans delivered", server.spans["child"], CHILDREN, CHILDREN
        )


def _sigterm(rounds: int) -> Row:
    delivered = codes = 0
    for _ in range(rounds):
        with serving(Collector()) as server:
            process = _run(_INIT.format(url=server.url) + _PLAIN.format(wait=30))
            assert process.stderr is not None
            process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            delivered += server.spans["plain"]
            codes += process.returncode == -signal.SIGTERM
    return Row(
        "plain script, SIGTERM: spans delivered, died of the signal",
        f"{delivered} and {codes} of {rounds}",
        "",
        f"{rounds} and {rounds} of {rounds}",
        delivered == codes == rounds,
    )


def _normal_end() -> Row:
    with serving(Collector()) as server:
        _run(_INIT.format(url=server.url) + _PLAIN.format(wait=0)).communicate(timeout=60)
        return exactly("plain script, normal end: spans delivered", server.spans["plain"], 1, 1)


def table(quick: bool) -> Table:
    """Measure shutdown and count what is delivered."""
    rounds = 1 if quick else 5
    return Table(
        "The end of a process",
        f"real processes, a real OTLP/HTTP exporter, collector on loopback; worst of {rounds}",
        (
            *_shutdowns(rounds),
            _children("fork"),
            _forked(),
            _sigterm(rounds),
            _normal_end(),
        ),
    )


if __name__ == "__main__":
    measure.main(MODULE, table)
