"""`obs lint` says whatever is wrong with files whose names and texts no encoding can write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: A title and a variable that are half a letter; Grafana keeps such texts.
_PANEL = {"id": 1, "type": "timeseries", "title": "\udfff", "targets": [{"refId": "A", "expr": "up{"}]}
_VARIABLE = {"name": "\ud802", "type": "query", "query": "x", "includeAll": True}
_DASHBOARD = {"title": "\ud800", "schemaVersion": 41, "panels": [_PANEL], "templating": {"list": [_VARIABLE]}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that can be linted; the name of one is no text."""
    text = json.dumps(_DASHBOARD)
    (tmp_path / "half.json").write_text(text, encoding="utf-8")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/byte-\xff.json")).write_text(text, encoding="utf-8")
    except OSError:
        # Not every file system has such names.
        (tmp_path / "other.json").write_text(text, encoding="utf-8")
    return tmp_path


def _lint(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "obs", "lint", ".", *options],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_what_no_encoding_writes_is_written_as_an_escape(folder: Path, form: str) -> None:
    done = _lint(folder, "--format", form)

    said = done.stdout.decode("utf-8")
    assert done.returncode == 1, done.stderr
    assert "\\ud802" in said
    if form == "json":
        assert len({problem["file"] for problem in json.loads(said)["problems"]}) == 2


def test_a_baseline_knows_such_problems_again(folder: Path) -> None:
    written = _lint(folder, "--write-baseline", "--baseline", "known.json")
    known = _lint(folder, "--baseline", "known.json")

    assert (written.returncode, known.returncode) == (0, 0), known.stdout
    assert b"no problems" in known.stderr
