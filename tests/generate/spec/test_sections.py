"""Owners, and rows of panels of a service's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from obs.errors import ObsError
from obs.generate import pipeline, spec
from obs.generate.spec.shape import ENVIRONMENT, SPEC

HEAD = "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [process]\n"
ROW = (
    "dashboard:\n  rows:\n    - title: Mine\n      panels:\n"
    "        - {title: Threads, description: What runs., unit: short, expr: sum (process_open_fds), legend: open}\n"
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _plan(text: str) -> dict[str, str]:
    Path("spec.yml").write_text(text, encoding="utf-8")
    return {str(artefact.path): artefact.text for artefact in pipeline.plan([Path("spec.yml")])}


def _panel(files: dict[str, str], title: str) -> dict[str, Any]:
    (text,) = (text for path, text in files.items() if path.endswith("/shop.json"))
    found: dict[str, Any] = next(panel for panel in json.loads(text)["panels"] if panel["title"] == title)
    return found


def test_a_panel_of_the_spec_reads_the_series_of_its_service_in_the_chosen_environment() -> None:
    panel = _panel(_plan(HEAD + ROW), "Threads")

    (target,) = panel["targets"]
    assert target["expr"] == 'sum(process_open_fds{environment=~"$environment",service="shop"})'
    assert (target["legendFormat"], panel["description"]) == ("open", "What runs.")
    assert panel["fieldConfig"]["defaults"]["unit"] == "short"


def test_a_panel_keeps_its_id_when_its_row_moves() -> None:
    other = ROW.replace("    - title: Mine\n", "    - {title: First, panels: []}\n    - title: Yours\n")

    assert _panel(_plan(HEAD + ROW), "Threads")["id"] == _panel(_plan(HEAD + other), "Threads")["id"]


def test_owners_stand_in_the_escalation_of_every_runbook() -> None:
    owners = 'owners: {chat: "#us", email: us@example.com, rota: https://rota.example, escalation: [first, second]}\n'
    files = _plan(HEAD + owners)

    pages = [text for path, text in files.items() if path.startswith("runbooks/shop/")]
    assert pages
    for page in pages:
        for words in ("#us", "<us@example.com>", "<https://rota.example>", "call number 2: second"):
            assert words in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ROW.replace("process_open_fds", "process_open_fd"),
            (
                "spec.yml:8:72: dashboard: panel 'Threads': no signal of the contract is called 'process_open_fd'\n"
                "  hint: did you mean 'process_open_fds'?"
            ),
        ),
        (
            ROW + ROW.splitlines()[-1] + "\n",
            "spec.yml:9:19: dashboard.rows.1.panels.2.title: another panel is called 'Threads'",
        ),
        (
            ROW.replace(", unit: short", ""),
            "spec.yml:8:11: dashboard.rows.1.panels.1 needs 'unit'",
        ),
        (
            ROW.replace(", expr: sum (process_open_fds)", ""),
            "spec.yml:8:11: dashboard.rows.1.panels.1 needs exactly one of 'expr' and 'queries'",
        ),
        (
            'owners: {chat: "our channel"}\n',
            "spec.yml:4:16: owners.chat: got 'our channel', expected a channel such as #payments",
        ),
        (
            "owners: {email: us}\n",
            "spec.yml:4:17: owners.email: got 'us', expected an address such as team@example.com",
        ),
        (
            "owners: {phone: 1}\n",
            "spec.yml:4:10: unknown key 'phone' in owners\n  hint: known here: chat, email, rota, escalation",
        ),
    ],
)
def test_a_mistake_is_answered_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(ObsError) as refusal:
        _plan(HEAD + text)

    assert str(refusal.value) == message


def test_the_form_of_a_spec_names_every_key() -> None:
    form = spec.__doc__ or ""

    assert [key for key in SPEC.names if f"\n    {key}:" not in form] == []
    assert [key for key in ENVIRONMENT.names if key not in form.partition("environments:")[2]] == []
