"""What it costs to write many artefacts: dashboards, rules, and their check against the disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench import measure
from bench.table import Row

SPEC = Path(__file__).parents[1] / "tests" / "golden" / "shop" / "spec.yml"
DASHBOARDS, PANELS, RULES = 1000, 20, 10_000
#: Seconds: written, and the check of what was written beyond that.
PROMISED = {"dashboards": 2.0, "rules": 1.0}
CHECK = 1.0


def dashboards() -> list[Any]:
    """Return a thousand dashboards of twenty panels, as the generator derives them."""
    from obs.generate.derive.dashboards.service import derive_dashboard
    from obs.generate.derive.rules import rule_files
    from obs.generate.model import Row as Panels
    from obs.generate.spec.load import load

    (service,) = load([SPEC])
    alerts = [alert for file in rule_files(service) for alert in file.alerts]
    one = derive_dashboard(service, alerts)
    panels = [panel for row in one.rows for panel in row.panels][:PANELS]
    assert len(panels) == PANELS
    rows = tuple(Panels(f"Row {start}", tuple(panels[start : start + 5])) for start in range(0, PANELS, 5))
    return [replace(one, name=f"service-{number}", rows=rows) for number in range(DASHBOARDS)]


def rules() -> list[Any]:
    """Return files of ten rules each, ten thousand in all."""
    from obs.generate.derive.rules import rule_files
    from obs.generate.model import RuleFile, RuleGroup
    from obs.generate.spec.load import load

    (service,) = load([SPEC])
    own = [rule for file in rule_files(service) for group in file.groups for rule in group.rules]
    many = (own * (RULES // len(own) + 1))[:RULES]
    return [
        RuleFile(f"service-{start}", (RuleGroup("rules", tuple(many[start : start + 10])),))
        for start in range(0, RULES, 10)
    ]


def written(kind: str, _quick: bool) -> dict[str, float]:
    """Render, write and check all artefacts of a kind in this process; seconds of the processor."""
    from obs.generate import pipeline
    from obs.generate.render import grafana, prometheus

    values: Sequence[Any] = dashboards() if kind == "dashboards" else rules()
    render: Callable[[Any], Any] = grafana.render if kind == "dashboards" else prometheus.render
    with tempfile.TemporaryDirectory() as out:
        began = time.process_time()
        artefacts = [render(value) for value in values]
        pipeline.write(artefacts, Path(out))
        ended = time.process_time()
        assert not pipeline.compare(artefacts, Path(out))
        checked = time.process_time()
    return {
        "written": ended - began,
        "check": checked - ended,
        "megabytes": sum(len(artefact.text) for artefact in artefacts) / 1e6,
    }


CANDIDATES = {kind: partial(written, kind) for kind in PROMISED}


def rows(module: str, rounds: int) -> list[Row]:
    """Measure writing in fresh processes of `module`, which has `CANDIDATES` among its own."""
    found = measure.alternate(module, list(CANDIDATES), rounds)
    what = {"dashboards": f"{DASHBOARDS} dashboards of {PANELS} panels", "rules": f"{RULES} rules"}
    measured = []
    for kind, figures in found.items():
        middle = measure.medians(figures)
        measured += [
            Row(
                f"{what[kind]}, rendered and written",
                f"{middle['written']:.2f} s, {middle['megabytes']:.0f} MB",
                "",
                f"<= {PROMISED[kind]} s",
                middle["written"] <= PROMISED[kind],
            ),
            Row(
                f"drift check of {what[kind]}",
                f"{middle['check']:.2f} s",
                f"{middle['check'] / middle['written']:.2f} x writing",
                f"<= {CHECK} s",
                middle["check"] <= CHECK,
            ),
        ]
    return measured
