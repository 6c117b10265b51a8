"""What it costs to generate: one spec to all artefacts, start included, and how that grows with services."""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from bench import artefacts as many
from bench import measure, proofs
from bench.table import Row, Table, beside

MODULE = "bench.bench_generate"
ROUNDS = 11
#: Seconds for one spec; seconds that a check may take beyond generating.
PROMISED, CHECK = 0.5, 1.0
SPEC = Path(__file__).parents[1] / "tests" / "golden" / "shop" / "spec.yml"
COMMANDS = {
    "empty": ("-c", ""),
    "libraries": ("-c", "import grafanalib.core, yaml, promql_parser"),
    "obs --help": ("-m", "obs", "--help"),
    "generate": ("-m", "obs", "generate", str(SPEC), "--out", "{out}"),
    "check": ("-m", "obs", "generate", str(SPEC), "--out", "{out}", "--check"),
}
SERVICES = (1, 10, 100, 1000)
#: So many times what one of ten costs may cost one of more: what grows faster is not linear.
GROWTH = 1.5


def spent() -> dict[str, float]:
    """Return the processor seconds of each command, on a quiet machine what its user waits; all files are new."""
    with tempfile.TemporaryDirectory() as out:
        return {
            name: measure.process_seconds(
                [sys.executable, *(argument.format(out=out) for argument in arguments)]
            )
            for name, arguments in COMMANDS.items()
        }


class Pace:
    """A fixed piece of work before each service: how fast the machine is while the plan is made."""

    def __init__(self) -> None:
        self.spent: list[float] = []

    def take(self, _name: str, _number: int, _of: int) -> None:
        """Do the work once."""
        began = time.process_time()
        measure.floor(10)
        self.spent.append(time.process_time() - began)


def fleet(services: int, _quick: bool) -> dict[str, Any]:
    """Plan, write and check so many services in this process; seconds of the processor, megabytes at the peak."""
    from obs.generate import pipeline

    base = _peak()
    text = SPEC.read_text(encoding="utf-8").replace("./defaults.yml", str(SPEC.parent / "defaults.yml"))
    with tempfile.TemporaryDirectory() as specs, tempfile.TemporaryDirectory() as out:
        for number in range(services):
            spec = text.replace("payments", f"payments{number}")
            Path(specs, f"{number}.yml").write_text(spec, encoding="utf-8")
        # As the command does.
        gc.disable()
        pace = Pace()
        began = time.process_time()
        artefacts = pipeline.prepare([Path(specs)], report=pace.take).artefacts
        planned = time.process_time()
        pipeline.write(artefacts, Path(out))
        written = time.process_time()
        drift = pipeline.compare(artefacts, Path(out))
        ended = time.process_time()
    assert not drift
    return {
        "plan": planned - began - sum(pace.spent),
        "pace": statistics.mean(pace.spent),
        "write": written - planned,
        "compare": ended - written,
        "artefacts": len(artefacts),
        "megabytes": _peak() - base,
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


CANDIDATES = {**{str(services): partial(fleet, services) for services in SERVICES}, **many.CANDIDATES}


def table(quick: bool) -> Table:
    """Measure generating."""
    found = [spent() for _ in range(3 if quick else ROUNDS)]
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
    rows += many.rows(MODULE, 2 if quick else 5)
    rows += proofs.rows()
    measured = {
        services: measure.fresh(MODULE, str(services)) for services in (SERVICES[:3] if quick else SERVICES)
    }
    for services, one in measured.items():
        rows += _growth(services, one, measured[10])
    return Table(
        "Generating",
        "processor time; of whole processes with their start, of fleets without it; growth corrected for the speed of the moment",
        rows,
    )


def _growth(services: int, one: dict[str, Any], ten: dict[str, Any]) -> list[Row]:
    each = one["plan"] / services
    grown = (each / one["pace"]) / (ten["plan"] / 10 / ten["pace"])
    return [
        Row(
            f"plan of {services} services, {one['artefacts']} artefacts",
            f"{one['plan']:.2f} s, {one['megabytes']:.0f} MB at the peak",
            f"{each * 1e3:.0f} ms a service, {grown:.2f} x one of ten",
            f"<= {GROWTH} x" if services > 10 else "",
            grown <= GROWTH if services > 10 else None,
        ),
        Row(
            f"drift check of {services} services beyond planning",
            f"{one['compare']:.2f} s",
            f"{one['compare'] / (one['plan'] + one['write']):.2f} x generating",
            f"<= {CHECK} s" if services <= 100 else f"<= writing ({one['write']:.1f} s) + {CHECK} s",
            one["compare"] <= (CHECK if services <= 100 else one["write"] + CHECK),
        ),
    ]


if __name__ == "__main__":
    measure.main(MODULE, table, CANDIDATES)
