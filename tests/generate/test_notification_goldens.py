"""Routes, templates, rules for Loki and objects for Kubernetes, byte by byte.

Refresh: OBS_REFRESH=1 pytest tests/generate/test_notification_goldens.py. What they mean is judged by the
real engines, in tests/engines.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from obs.generate import pipeline
from obs.generate.derive.templates import fill

CASE = Path(__file__).parents[1] / "golden" / "routed"
EXPECTED = CASE / "expected"


def _is_ours(path: PurePosixPath) -> bool:
    # Rules and dashboards are frozen elsewhere; here it is enough that they are wrapped.
    return (
        str(path) in {"alerts/alertmanager.yml", "alerts/templates/obs.tmpl", "alerts/tests/routes.yml"}
        or str(path.parent) in {"alerts/loki", "alerts/tests/loki"}
        or str(path) == "kubernetes/alpha-monitor.yml"
    )


def test_what_notifies_is_what_it_was() -> None:
    produced = {
        str(artefact.path): artefact.text for artefact in pipeline.plan([CASE]) if _is_ours(artefact.path)
    }
    if os.environ.get("OBS_REFRESH"):
        for file in sorted(EXPECTED.rglob("*.*")):
            file.unlink()
        for path, text in produced.items():
            (EXPECTED / path).parent.mkdir(parents=True, exist_ok=True)
            (EXPECTED / path).write_text(text, encoding="utf-8")

    frozen = {
        str(file.relative_to(EXPECTED)): file.read_text(encoding="utf-8") for file in EXPECTED.rglob("*.*")
    }
    assert sorted(frozen) == sorted(produced)
    for path, text in produced.items():
        assert frozen[path] == text, path


@pytest.mark.parametrize("value", [0.25, 12.0])
def test_every_template_in_a_rule_for_loki_is_one_that_we_can_fill(value: float) -> None:
    for artefact in pipeline.plan([CASE]):
        if artefact.path.parent == PurePosixPath("alerts/loki"):
            assert "{{" not in fill(artefact.text, {"service": "a", "environment": "b"}, value)
