"""What it costs to prove alerts: the tests of every alert of a service, judged by promtool."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench import measure
from bench.table import Row

SPEC = Path(__file__).parents[1] / "tests" / "golden" / "complete" / "spec.yml"
ALERTS, PROCESSORS = 100, 2
ROUNDS = 3
#: Seconds that the tests of so many alerts may take on so many processors.
PROMISED = 2.0


def rows() -> list[Row]:
    """Measure promtool as `obs test` runs it; no row where there is none."""
    from obs.cli.judges import SHORT_LIVED, Generated
    from obs.generate import pipeline
    from obs.stack import engines

    promtool = engines.find("promtool")
    if promtool is None:
        return []
    with tempfile.TemporaryDirectory() as out:
        pipeline.write(pipeline.plan([SPEC]), Path(out))
        found = Generated.under(Path(out, "alerts"))
        alerts = sum(file.read_text(encoding="utf-8").count("- alert:") for file in found.rules)
        variables = [f"{name}={value}" for name, value in SHORT_LIVED.items()]
        command = ["env", *variables, str(promtool.path), "test", "rules", *map(str, found.tests)]
        spent = statistics.median(measure.process_seconds(command) for _ in range(ROUNDS))
    each = spent / alerts * ALERTS / PROCESSORS
    return [
        Row(
            f"promtool, the tests of {alerts} alerts",
            f"{spent:.1f} s",
            f"{each:.1f} s for {ALERTS} alerts on {PROCESSORS} quiet processors",
            f"<= {PROMISED} s",
            each <= PROMISED,
        )
    ]
