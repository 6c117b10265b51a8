"""What it costs to generate: one spec to all artefacts, start included, and how that grows with services."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench import measure
from bench.table import Row, Table, beside

MODULE = "bench.bench_generate"
ROUNDS = 11
#: Seconds for one spec.
PROMISED = 0.5
SPEC = Path(__file__).parents[1] / "tests" / "golden" / "shop" / "spec.yml"
CANDIDATES = {
    "empty": ("-c", ""),
    "libraries": ("-c", "import grafanalib.core, yaml, promql_parser"),
    "obs --help": ("-m", "obs", "--help"),
    "generate": ("-m", "obs", "generate", str(SPEC), "--out", "{out}"),
    "check": ("-m", "obs", "generate", str(SPEC), "--out", "{out}", "--check"),
}
SERVICES = (1, 10, 100)


def spent(arguments: tuple[str, ...], out: str) -> float:
    """Return the processor seconds of one run; on a quiet machine its user waits as long."""
    return measure.process_seconds([sys.executable, *(argument.format(out=out) for argument in arguments)])


def plan(services: int) -> tuple[float, int]:
    """Return the processor seconds for so many services, and how many artefacts they have."""
    from obs.generate import pipeline

    text = SPEC.read_text(encoding="utf-8").replace("./defaults.yml", str(SPEC.parent / "defaults.yml"))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(services):
            spec = text.replace("payments", f"payments{number}")
            Path(folder, f"{number}.yml").write_text(spec, encoding="utf-8")
        began = time.process_time()
        artefacts = pipeline.plan([Path(folder)])
        return time.process_time() - began, len(artefacts)


def table(quick: bool) -> Table:
    """Measure generating."""
    with tempfile.TemporaryDirectory() as out:
        found = [
            {name: spent(arguments, out) for name, arguments in CANDIDATES.items()}
            for _ in range(3 if quick else ROUNDS)
        ]
    middle = measure.medians(found)

    def ratio(name: str) -> float:
        return measure.ratio(found, name, "empty")

    of = "empty interpreter"
    rows = [
        Row(of, f"{middle['empty']:.3f} s", "1.0"),
        beside(
            "import grafanalib, yaml, promql_parser", f"{middle['libraries']:.3f} s", ratio("libraries"), of
        ),
        beside("obs --help", f"{middle['obs --help']:.3f} s", ratio("obs --help"), of),
        Row(
            "obs generate, one service, written",
            f"{middle['generate']:.3f} s",
            f"{ratio('generate'):.2f} x {of}",
            f"<= {PROMISED} s",
            middle["generate"] <= PROMISED,
        ),
        beside("obs generate --check", f"{middle['check']:.3f} s", ratio("check"), of),
    ]
    for services in SERVICES[:2] if quick else SERVICES:
        seconds, artefacts = plan(services)
        rows.append(
            Row(
                f"plan of {services} services, start left out",
                f"{seconds:.2f} s, {artefacts} artefacts",
                f"{seconds / services * 1e3:.0f} ms a service",
            )
        )
    return Table("Generating", "processor time of whole processes, start included", rows)


if __name__ == "__main__":
    measure.main(MODULE, table)
