"""The pages of figures have a place for the table of every benchmark, and for no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    (ROOT / "docs" / "explanation" / name).read_text(encoding="utf-8")
    for name in ("performance.md", "sizing.md")
]
SCRIPTS = {path.stem.removeprefix("bench_") for path in (ROOT / "bench").glob("bench_*.py")}


def test_every_benchmark_has_its_place() -> None:
    assert sorted(re.findall(r"<!-- table: (\w+) -->", "".join(PAGES))) == sorted(SCRIPTS)


def test_every_place_ends_before_the_next_begins() -> None:
    marks = re.findall(r"<!-- (table|end of table)", "".join(PAGES))

    assert marks == ["table", "end of table"] * len(SCRIPTS)


def test_every_place_holds_a_table() -> None:
    for page in PAGES:
        for name, table in re.findall(r"<!-- table: (\w+) -->(.*?)<!-- end of table -->", page, re.DOTALL):
            assert "| what | figure |" in table, name


def test_the_peers_are_pinned_at_the_versions_of_the_product() -> None:
    """A figure beside another version of OpenTelemetry would be a figure of that version."""
    ours, theirs = _pins("constraints.txt"), _pins("bench/constraints.txt")

    assert {name: pins for name, pins in theirs.items() if name in ours and ours[name] != pins} == {}
    assert "prometheus-fastapi-instrumentator" in theirs.keys() - ours.keys()


def _pins(name: str) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for found in re.finditer(r"(?m)^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8")):
        pins.setdefault(found[1], set()).add(found[2])
    return pins
