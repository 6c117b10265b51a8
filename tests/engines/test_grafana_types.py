"""Dashboards are what Grafana's published types say: TypeScript's compiler reads each file as one literal.

No Grafana runs here. Its types are the description of a dashboard that is nearest to its own code; a field
that they do not know, or a value that they do not allow, is a mistake of ours. The packages come from the
registry that npm is configured with, and are the ones of the lock file.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tests" / "grafana_types"
PAGES = [*sorted((ROOT / "dashboards").glob("*/*.json")), ROOT / "stack/grafana/provisioning/home.json"]
#: Rows have no options of their own; alert lists are described by no published type.
UNTYPED = ("row", "alertlist")

Page = dict[str, Any]


def _source(page: Page) -> Iterator[str]:
    """Yield TypeScript that declares a dashboard and the parts of it that depend on the kind of a panel."""
    yield 'import type { Custom, Options, Page, Target } from "./model";'
    yield f"export const page: Page = {json.dumps(page)};"
    for panel in page["panels"]:
        kind, number = panel["type"], panel["id"]
        if kind in UNTYPED:
            continue
        yield f'export const options_{number}: Options["{kind}"] = {json.dumps(panel["options"])};'
        custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom")
        if custom is not None:
            yield f'export const custom_{number}: Custom["{kind}"] = {json.dumps(custom)};'
        for place, target in enumerate(panel.get("targets", [])):
            asked = target["datasource"]["type"]
            # What a query of Prometheus looks like is published to Grafana's plugins only.
            if asked != "prometheus":
                yield f'export const target_{number}_{place}: Target["{asked}"] = {json.dumps(target)};'


def _complaints(tool: Path, pages: dict[str, Page]) -> list[str]:
    """Return what the compiler says of these dashboards, a line a mistake."""
    for name, page in pages.items():
        (tool / f"{name}.ts").write_text("\n".join(_source(page)) + "\n", encoding="utf-8")
    done = subprocess.run(
        ["node_modules/.bin/tsc", "--project", "."],
        cwd=tool,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    for name in pages:
        (tool / f"{name}.ts").unlink()
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler and the types, installed beside our model of a page."""
    npm = shutil.which("npm")
    assert npm, "npm is missing: install Node.js 20 or newer"
    directory = tmp_path_factory.mktemp("grafana-types")
    for file in TOOL.iterdir():
        if file.is_file():
            shutil.copy(file, directory / file.name)
    done = subprocess.run(
        [npm, "ci", "--prefer-offline"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return directory


def test_grafanas_types_know_every_field_of_every_dashboard(tool: Path) -> None:
    pages = {page.stem: json.loads(page.read_text(encoding="utf-8")) for page in PAGES}

    assert len(pages) == len(PAGES)
    assert _complaints(tool, pages) == []


def test_a_field_or_value_that_grafana_does_not_know_is_noticed(tool: Path) -> None:
    page = json.loads((ROOT / "dashboards/shop/storefront.json").read_text(encoding="utf-8"))
    graph = next(panel for panel in page["panels"] if panel["type"] == "timeseries")
    wrong: dict[str, Page] = {}
    for name, part, key, value in (
        ("option", "options", "legends", {}),
        ("value", "options", "tooltip", {"mode": "every"}),
        ("custom", "custom", "lineWidths", 1),
        ("panel", "panel", "colour", "red"),
        ("page", "page", "refreshes", "1m"),
    ):
        changed, panel = copy.deepcopy(page), copy.deepcopy(graph)
        changed["panels"] = [panel]
        parts = {
            "options": panel["options"],
            "custom": panel["fieldConfig"]["defaults"]["custom"],
            "panel": panel,
            "page": changed,
        }
        parts[part][key] = value
        wrong[name] = changed

    complaints = _complaints(tool, wrong)

    assert {line.partition(".ts(")[0] for line in complaints if ": error " in line} == set(wrong)
