"""What it costs to import and start obs, beside the libraries it stands on.

Each line is the wall time of a fresh interpreter over an empty one, best of ROUNDS, rounds
interleaved, and how many modules it loads.

    python bench/bench_import.py [ROUNDS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

CANDIDATES = {
    "empty interpreter": "",
    "import obs": "import obs",
    "import obs.catalogue": "import obs.catalogue",
    "obs.init, all pillars": "import obs; obs.init('bench', log_level='error')",
    "obs.init, with OTLP endpoint": (
        "import obs; obs.init('bench', log_level='error', otlp_endpoint='http://127.0.0.1:9')"
    ),
    "prometheus_client": "import prometheus_client",
    "structlog": "import structlog",
    "opentelemetry.sdk.trace": "import opentelemetry.sdk.trace",
    "OTLP/HTTP exporter": "import opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "the parts, by hand": (
        "import prometheus_client, structlog, orjson, opentelemetry.sdk.trace.export, "
        "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    ),
    "obs --help": "import sys; sys.argv = ['obs', '--help']; from obs.__main__ import main; main()",
}
REFERENCE = "the parts, by hand"


def wall(code: str) -> float:
    """Return the milliseconds that an interpreter takes for `code`."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1e3


def modules(code: str) -> int:
    """Return how many modules are loaded after `code`."""
    script = f"{code}\nimport sys; print(len(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return int(done.stderr.splitlines()[-1])


def run(rounds: int) -> None:
    """Measure every candidate and print one line each."""
    times: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for _ in range(rounds):
        for name, code in CANDIDATES.items():
            times[name].append(wall(code))
    empty = min(times["empty interpreter"])
    reference = min(times[REFERENCE]) - empty
    print(f"{'candidate':30} {'ms over empty':>14} {'x ' + REFERENCE:>20} {'modules':>8}")
    for name, code in CANDIDATES.items():
        spent = min(times[name]) - empty
        print(f"{name:30} {spent:14.1f} {spent / reference:20.2f} {modules(code):8}")


if __name__ == "__main__":
    for variable in [name for name in os.environ if name.startswith(("OBS_", "OTEL_"))]:
        del os.environ[variable]
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
