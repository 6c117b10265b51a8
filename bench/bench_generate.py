"""What it costs to generate: one spec to all artefacts, start included, beside the interpreter alone.

    python bench/bench_generate.py [ROUNDS]

The figure of issue 3: one service spec to all artefacts within 0.5 s, start included. A second table
shows how the time in one process grows with the number of services.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPEC = Path(__file__).parents[1] / "tests" / "golden" / "shop" / "spec.yml"
CANDIDATES = {
    "empty interpreter": ["-c", ""],
    "import grafanalib, yaml, promql_parser": ["-c", "import grafanalib.core, yaml, promql_parser"],
    "obs --help": ["-m", "obs", "--help"],
    "obs generate (written)": ["-m", "obs", "generate", str(SPEC), "--out", "{out}"],
    "obs generate --check": ["-m", "obs", "generate", str(SPEC), "--out", "{out}", "--check"],
}
SERVICES = (1, 10, 100)


def wall(arguments: list[str], out: str) -> float:
    """Return the seconds that one run takes."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *(argument.format(out=out) for argument in arguments)],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def start_to_finish(rounds: int) -> None:
    """Print the best of `rounds`, rounds interleaved."""
    best = dict.fromkeys(CANDIDATES, float("inf"))
    with tempfile.TemporaryDirectory() as out:
        for _ in range(rounds):
            for name, arguments in CANDIDATES.items():
                best[name] = min(best[name], wall(arguments, out))
    for name, seconds in best.items():
        print(f"{name:40} {seconds:6.3f} s  {seconds / best['empty interpreter']:5.1f} x empty")


def by_services() -> None:
    """Print the seconds and artefacts of a plan, for growing numbers of services."""
    from obs.generate import pipeline

    text = SPEC.read_text(encoding="utf-8").replace("./defaults.yml", str(SPEC.parent / "defaults.yml"))
    for count in SERVICES:
        with tempfile.TemporaryDirectory() as folder:
            for number in range(count):
                spec = text.replace("payments", f"payments{number}")
                Path(folder, f"{number}.yml").write_text(spec, encoding="utf-8")
            began = time.perf_counter()
            artefacts = pipeline.plan([Path(folder)])
            took = time.perf_counter() - began
        print(
            f"{count:5} services {len(artefacts):6} artefacts {took:7.2f} s  {took / count * 1000:6.1f} ms each"
        )


if __name__ == "__main__":
    start_to_finish(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    by_services()
