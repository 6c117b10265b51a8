"""Promises about the repository itself: sizes, versions, and nothing that ties it to one machine."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from obs._version import __version__
from obs.catalogue.everything import everything

_ROOT = Path(__file__).parents[2]
_SOURCES = sorted((_ROOT / "src").rglob("*.py"))


def _ids(path: Path) -> str:
    return str(path.relative_to(_ROOT))


@cache
def _metric_names() -> frozenset[str]:
    # `up` and the like are too short to tell a name from a word.
    return frozenset(
        name for signal in everything() for name in (signal.metric, signal.classic) if name.count("_") >= 1
    )


@pytest.mark.parametrize("path", _SOURCES, ids=_ids)
def test_no_file_passes_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", [path for path in _SOURCES if path.name == "__init__.py"], ids=_ids)
def test_an_init_file_holds_no_logic(path: Path) -> None:
    if path.parent in {_ROOT / "src" / "obs", _ROOT / "src" / "obs" / "testing"}:
        return  # the lazy faces; tests/contract/test_face.py holds them
    kinds = {type(node) for node in ast.parse(path.read_text(encoding="utf-8")).body}

    assert kinds <= {ast.Expr, ast.Import, ast.ImportFrom, ast.Assign}


def test_the_changelog_starts_with_the_current_version() -> None:
    text = (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.search(r"^## \[(.+?)\]", text, re.MULTILINE)[1] == __version__  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    [path for path in _SOURCES if "catalogue" not in path.parts],
    ids=_ids,
)
def test_a_metric_name_is_written_only_in_the_catalogue(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    literals = {
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in documented
        for word in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", node.value)
    }

    assert not _metric_names() & literals


def test_constraints_pin_hashes_and_name_no_address() -> None:
    text = (_ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==\S+", text, re.MULTILINE)

    assert "://" not in text
    assert len(pins) > 40
    assert text.count("--hash=sha256:") >= len(pins)


def test_tracked_files_name_no_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    home = re.compile(r"/(?:home|root|Users)/\w")
    for name in filter(None, tracked):
        path = _ROOT / name
        if (
            path.suffix in {".py", ".md", ".yml", ".yaml", ".json", ".toml", ".txt", ".mod"}
            and path.is_file()
        ):
            assert not home.search(path.read_text(encoding="utf-8")), name
