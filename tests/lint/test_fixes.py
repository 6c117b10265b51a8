"""What --fix does to rules and dashboards that others wrote: only what it says, and only once."""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from obs.lint import repair, run
from obs.lint.run import Report

_HERE = Path(__file__).parent
_CORPUS = sorted(
    path
    for folder in ("users", "foreign/handwritten", "foreign/planted", "foreign/sound", "foreign/declared")
    for path in (_HERE / folder).rglob("*")
    if path.suffix in {".yml", ".yaml", ".json"} and path.name != "contract.json"
)
_REPAIRED = {"rules.yml", "auth.yml", "auth-crlf.yml", "pool.yml", "checkout.yaml", "checkout.json"}


def _repaired(file: Path) -> tuple[str, str]:
    """Return the text before and after every safe fix, as they stand on disk."""
    before = file.read_bytes().decode()

    def judge(texts: Mapping[str, str]) -> Report:
        return run.lint([file], texts=texts)

    repair.write(repair.repair(judge))
    return before, file.read_bytes().decode()


@pytest.mark.parametrize("file", _CORPUS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_repaired_file_is_as_it_was_but_for_the_repairs_and_is_repaired_once(
    file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / file.name
    shutil.copy(file, copy)
    before, after = _repaired(copy)
    again, twice = _repaired(copy)

    assert again == twice == after
    assert ("\r\n" in after) == ("\r\n" in before)
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    if "\r\n" in before:
        assert "\n" not in after.replace("\r\n", "")
    if file.suffix == ".json":
        json.loads(after)
    else:
        assert _comments(after) == _comments(before)
        assert list(yaml.safe_load_all(after))
    if "sound" in file.parts:
        assert after == before
    elif file.name in _REPAIRED and "declared" not in file.parts:
        assert after != before
    # Whatever is not repaired keeps its place and its blanks.
    gone = [line[2:] for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[:2] == "- "]
    assert len(gone) < len(before.splitlines()) / 2


def _comments(text: str) -> list[str]:
    """Return what stands behind each # that begins a comment of YAML or of PromQL."""
    parts = [line.partition("#") for line in text.splitlines()]
    return sorted(
        tail.strip() for head, mark, tail in parts if mark and (not head.strip() or head[-1:] == " ")
    )


def test_a_rule_that_is_written_twice_in_its_group_is_deleted_and_its_neighbours_stay(tmp_path: Path) -> None:
    copy = tmp_path / "auth.yml"
    shutil.copy(_HERE / "foreign" / "handwritten" / "auth.yml", copy)
    before, after = _repaired(copy)
    names = [rule.get("record") or rule["alert"] for rule in yaml.safe_load(after)["groups"][0]["rules"]]

    assert before.count("record: job:http_requests:rate5m") == 2
    # Two alerts of one name that say different things are left to a person.
    assert names == ["LoginErrors", "LoginErrors", "AuthGone", "job:http_requests:rate5m"]
