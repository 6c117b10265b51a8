"""`obs generate`: what is said to machines, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from obs.cli.main import run

SPEC = Path(__file__).parents[1] / "golden" / "shop" / "spec.yml"


def _generate(out: Path, *arguments: str) -> int:
    return run(["generate", str(SPEC), "--out", str(out), *arguments])


def test_a_difference_is_data_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _generate(tmp_path, "--only", "rules") == 0
    rules = tmp_path / "alerts" / "prometheus" / "payments.yml"
    rules.write_text(rules.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    capsys.readouterr()

    assert _generate(tmp_path, "--only", "rules", "--diff", "--format", "json") == 1

    data = json.loads(capsys.readouterr().out)
    assert data["changed"] == ["alerts/prometheus/payments.yml"]
    assert data["written"] is False
    assert "-# mine\n" in data["diff"]


def test_without_a_difference_diff_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _generate(tmp_path, "--only", "dashboards") == 0
    capsys.readouterr()

    assert _generate(tmp_path, "--only", "dashboards", "--diff") == 0
    assert capsys.readouterr().out == ""


def test_words_add_up_in_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _generate(tmp_path, "--only", "runbooks", "--only", "dashboards", "--format", "json") == 0

    data = json.loads(capsys.readouterr().out)
    assert data["written"] is True
    assert data["artefacts"] == len(data["created"])
    assert {path.split("/")[0] for path in data["created"]} == {"dashboards", "runbooks"}


def test_half_of_the_specs_removes_nothing_of_the_other_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yml"
    other.write_text(
        "version: obs/v1\nservice: {name: other, team: us}\ncapabilities: [process]\n"
        "notify: {page: pagerduty-us, ticket: slack-us}\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    assert run(["generate", str(SPEC), str(other), "--out", str(out)]) == 0
    routes = (out / "alerts" / "alertmanager.yml").read_bytes()
    capsys.readouterr()

    assert run(["generate", str(other), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert "payments (" in told
    assert "--prune" in told
    assert (out / "alerts" / "alertmanager.yml").read_bytes() == routes
    assert list(out.glob("dashboards/*/payments.json"))

    assert run(["generate", str(other), "--out", str(out), "--check"]) == 1
    assert "none of these specs names: payments (" in capsys.readouterr().err

    assert run(["generate", str(other), "--out", str(out), "--only", "other"]) == 0
    assert run(["generate", str(other), "--out", str(out), "--prune"]) == 0
    assert not list(out.glob("dashboards/*/payments.json"))
    assert run(["generate", str(other), "--out", str(out), "--check"]) == 0
