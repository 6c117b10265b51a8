"""What obs generates stands up to its own linter: nothing is missing beside any alert, and no link is dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.generate import pipeline
from obs.lint import coverage, run
from obs.lint.run import Report

_SPECS = Path(__file__).parents[2] / "specs"
#: The artefacts that are committed, and with them those of the engines.
_FOLDERS = (("shop",), ("shop", "stack"))


@pytest.fixture(scope="module", params=_FOLDERS, ids=" and ".join)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    specs = [_SPECS / folder for folder in request.param]
    out = tmp_path_factory.mktemp("generated")
    pipeline.write(pipeline.plan(specs), out)
    return run.lint([*specs, out])


def test_every_alert_has_a_test_a_runbook_a_panel_and_a_route_and_every_link_leads_somewhere(
    report: Report,
) -> None:
    figures = coverage.measure(report.project)

    assert [(figure.kind, figure.missing, figure.unmeasured) for figure in figures] == [
        (kind, (), "") for kind in coverage.KINDS
    ]
    assert all(figure.total > 20 for figure in figures)


def test_the_linter_finds_no_error(report: Report) -> None:
    assert [problem for problem in report.problems if problem.severity == "error"] == []
